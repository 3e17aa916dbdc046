import type { Page } from "@playwright/test";
import { Editions, FIRST, SECOND } from "./editions";
import { test as base, expect, type Person } from "./fixtures";
import { setVisibility } from "./observed";
import { expectVersions, isKept } from "./worker";

const test = base.extend<{ editions: Editions }>({
  editions: async ({ ownServer }, use) => {
    const editions = await Editions.of(await ownServer());
    await use(editions);
    await editions.close();
  },
});

const banner = (page: Page) => page.getByTestId("edition");

test("a new version waits until it is wanted, and breaks no page that is open", async ({
  person,
  editions: on,
}) => {
  const [ada, bob] = [await person("Ada", { on }), await person("Bob", { on })];
  await isKept(ada.page);
  const [inView, hidden] = [await ada.secondTab(), await ada.secondTab()];
  await setVisibility(hidden.page, "hidden");
  await ada.talkWith(bob);
  await ada.page.getByTestId("composer").fill("Half a thought");
  for (const view of [ada, inView, hidden]) await mark(view);

  on.upgrade();
  for (const { page } of [ada, inView, hidden]) {
    await expect(banner(page)).toContainText("A new version is available.");
  }
  // A part that was not loaded before, and that the server does not have any more.
  await inView.page.getByTestId("settings-open").click();
  await expect(inView.page.getByRole("dialog")).toBeVisible();
  await inView.page.keyboard.press("Escape");
  expect(await isMarked(ada)).toBe(true);

  await ada.page.getByTestId("edition-reload").click();
  await expect(ada.page.getByTestId("composer")).toHaveValue("Half a thought");
  await expect(banner(ada.page)).toHaveCount(0);
  await expect(hidden.page.getByText(SECOND)).toBeVisible();
  expect(await isMarked(hidden)).toBe(false);
  // The other one in view goes on as it was, with all its parts.
  await expect(banner(inView.page)).toBeVisible();
  await expect(inView.page.getByText(FIRST)).toBeVisible();
  expect(await isMarked(inView)).toBe(true);
  await expectVersions(ada.page, 2);
  await bob.talkWith(ada);
  await bob.say("A toast, then");
  await expect(inView.page.getByTestId("toast")).toBeVisible();

  await inView.page.getByTestId("edition-reload").click();
  await expect(inView.page.getByText(SECOND)).toBeVisible();
  await expectVersions(ada.page, 1);
});

test("without a worker, a part that is gone is told of, and a reload brings it", async ({
  person,
  editions: on,
}) => {
  const ada = await person("Ada", { on, serviceWorkers: "block" });
  // Alone, one is shown the way to others instead.
  await person("Bob", { on });
  await expect(ada.page.getByText(FIRST)).toBeVisible();
  on.upgrade();
  await ada.page.getByTestId("settings-open").click();
  await expect(banner(ada.page)).toContainText("Part of this page is no longer available.");
  await expect(ada.page.getByText(FIRST)).toBeVisible();
  await ada.page.getByTestId("edition-reload").click();
  await expect(ada.page.getByText(SECOND)).toBeVisible();
  await ada.page.getByTestId("settings-open").click();
  await expect(ada.page.getByRole("dialog")).toBeVisible();
});

/** To see later whether the page has been loaded anew. */
function mark({ page }: Person): Promise<void> {
  return page.evaluate(() => {
    document.documentElement.dataset.marked = "";
  });
}

function isMarked({ page }: Person): Promise<boolean> {
  return page.evaluate(() => "marked" in document.documentElement.dataset);
}
