import { expect, test } from "./fixtures";

test("the switcher finds conversations, who is here, and who is not", async ({ person }) => {
  const [ada, bob, eve] = [await person("Ada"), await person("Bob"), await person("Eve")];
  const { page } = ada;
  const away = await person("Evan");
  await away.page.goto("about:blank");
  await expect(ada.personRow(away)).toHaveCount(0, { timeout: 30_000 });
  await ada.talkWith(bob);
  await ada.say("Hello");
  await expect(ada.conversationRow(bob)).toBeVisible();

  await page.keyboard.press("ControlOrMeta+K");
  const field = page.getByTestId("switcher-search");
  const option = (name: string) => page.locator(`[data-testid="switch-to"][data-name="${name}"]`);
  const chosen = page.getByRole("option", { selected: true });
  // Most recent first, oneself for notes.
  await expect(page.getByRole("option").first()).toHaveAttribute("data-name", bob.name);
  await expect(option(ada.name)).toHaveText(/Notes to self/);
  await field.fill("Ev");
  await expect(option(eve.name)).toContainText("Online");
  await expect(option(away.name)).not.toContainText("Online");
  await expect(option(bob.name)).toHaveCount(0);
  const first = await chosen.getAttribute("data-name");
  const id = await chosen.getAttribute("id");
  await expect(field).toHaveAttribute("aria-activedescendant", `${id}`);
  await page.keyboard.press("ArrowDown");
  await expect(chosen).not.toHaveAttribute("data-name", `${first}`);
  await page.keyboard.press("ArrowUp");
  await expect(chosen).toHaveAttribute("data-name", `${first}`);

  await field.fill(away.name);
  await expect(page.getByRole("option")).toHaveCount(1);
  await page.keyboard.press("Enter");
  await expect(page.getByTestId("switcher")).toHaveCount(0);
  await expect(page.getByRole("heading", { level: 1 })).toHaveText(away.name);
});

test("the switcher goes away, and gives the focus back", async ({ person }) => {
  const [ada, bob] = [await person("Ada"), await person("Bob")];
  await ada.talkWith(bob);
  const { page } = ada;
  const composer = page.getByTestId("composer");
  await composer.fill("Half a sen");
  for (const key of ["Escape", "ControlOrMeta+K"]) {
    await page.keyboard.press("ControlOrMeta+K");
    await expect(page.getByTestId("switcher-search")).toBeFocused();
    await page.keyboard.press(key);
    await expect(page.getByTestId("switcher")).toHaveCount(0);
    await expect(composer).toBeFocused();
  }
  await page.keyboard.press("ControlOrMeta+K");
  await expect(page.getByTestId("switcher")).toBeVisible();
  await page.mouse.click(5, 5);
  await expect(page.getByTestId("switcher")).toHaveCount(0);
  await expect(composer).toHaveValue("Half a sen");
});
