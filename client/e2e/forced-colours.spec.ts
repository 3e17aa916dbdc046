import type { Locator } from "@playwright/test";
import { expect, test } from "./fixtures";
import { talk } from "./person";

/** Whether it looks otherwise afterwards. */
async function changes(seen: Locator, act: () => Promise<unknown>): Promise<void> {
  const before = await seen.screenshot({ animations: "disabled" });
  await act();
  await expect
    .poll(async () => before.equals(await seen.screenshot({ animations: "disabled" })))
    .toBe(false);
}

const hide = (all: Locator) =>
  all.evaluateAll((elements) => {
    for (const element of elements as HTMLElement[]) element.style.visibility = "hidden";
  });

test("where a theme takes the colours, what is told by them is told by lines", async ({
  person,
}) => {
  const ada = await person("Ada", { forcedColors: "active", reducedMotion: "reduce" });
  const [bob, cleo] = [await person("Bob"), await person("Cleo")];
  await cleo.talkWith(ada);
  await cleo.say("Hello");
  await talk(ada, bob);
  const { page } = ada;
  await expect(ada.conversationRow(cleo)).toContainText("Hello");
  await ada.conversationRow(cleo).click();
  await expect(ada.unread(cleo)).toHaveCount(0);
  await ada.conversationRow(bob).click();
  await expect(ada.message("Before")).toBeVisible();
  await page.mouse.move(900, 400);

  const row = ada.conversationRow(bob);
  await changes(row, () => hide(row.locator("[data-status]")));
  await changes(ada.conversationRow(cleo), async () => {
    await page.goto(
      `${ada.home}/#/c/${await ada.conversationRow(cleo).getAttribute("data-conversation")}`,
    );
    await expect(ada.message("Hello")).toBeVisible();
  });
  await page.keyboard.press("ControlOrMeta+K");
  await expect(page.getByTestId("switch-to").nth(1)).toBeVisible();
  await changes(page.getByTestId("switch-to").nth(1), () => page.keyboard.press("ArrowDown"));
  await page.keyboard.press("Escape");
  await page.getByTestId("settings-open").click();
  const dialog = page.getByRole("dialog");
  const sound = page.getByTestId("sound-switch");
  await changes(sound, () => sound.click());
  await changes(dialog, () => dialog.getByText("Dark", { exact: true }).click());
});
