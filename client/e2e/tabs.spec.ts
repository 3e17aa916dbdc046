import { expect, test } from "./fixtures";
import { absencesOf, noneInView, notificationsOf, recordAbsence, setVisibility } from "./observed";

const RELOADS = 20;
const RELOADS_MS = 10_000;

/** How long somebody without a page still counts as here: by default, and where nobody leaves. */
const GRACE_MS = 10_000;
const SHORT_GRACE_MS = 2_000;
/** Presence is told once in this time. */
const PRESENCE_MS = 1_000;

test("f19: twenty reloads in ten seconds are never seen, and leave one socket", async ({
  person,
  ownServer,
}) => {
  const on = await ownServer();
  const [ada, bob] = [await person("Ada", { on }), await person("Bob", { on })];
  await ada.talkWith(bob);
  await expect(ada.page.getByTestId("partner-presence")).toHaveText("Online");
  await recordAbsence(ada.page, bob.name);

  const since = Date.now();
  for (let count = 1; count <= RELOADS; count += 1) {
    await bob.page.reload({ waitUntil: "domcontentloaded" });
    const rest = since + (count * RELOADS_MS) / RELOADS - Date.now();
    await bob.page.waitForTimeout(Math.max(0, rest));
  }
  await bob.isIn();
  await expect.poll(() => on.metric("tidings_sockets")).toBe(2);
  // The page that went last counts as open until here.
  await bob.page.waitForTimeout(GRACE_MS + PRESENCE_MS);
  expect(await absencesOf(ada.page)).toBe(0);
  expect(await on.metric("tidings_sockets")).toBe(2);
  expect(await on.metric("tidings_users_online")).toBe(2);
  expect(await bob.page.evaluate(() => window.sockets.length)).toBe(1);
  await ada.say("Still there?");
  await expect(bob.unread(ada)).toHaveText("1");
});

test("f20: of two tabs one is closed: here, told once, counted alike", async ({
  person,
  ownServer,
}) => {
  const on = await ownServer({ TIDINGS_PRESENCE_GRACE_MS: `${SHORT_GRACE_MS}` });
  const ada = await person("Ada", { on });
  const first = await person("Bob", { on, permissions: ["notifications"] });
  const second = await first.secondTab();
  await ada.talkWith(first);
  await expect(ada.page.getByTestId("partner-presence")).toHaveText("Online");
  await recordAbsence(ada.page, first.name);

  const told = async (...tabs: (typeof first)[]) =>
    (await Promise.all(tabs.map(({ page }) => notificationsOf(page)))).flat();
  for (const { page } of [first, second]) await setVisibility(page, "hidden");
  await noneInView(first.page);
  for (const text of ["One", "Two"]) await ada.say(text);
  for (const view of [first, second]) await expect(view.unread(ada)).toHaveText("2");
  await expect.poll(() => told(first, second)).toEqual([`${ada.name}: One`, `${ada.name}: Two`]);

  // The one that has told so far.
  await first.page.close();
  await expect.poll(() => on.metric("tidings_sockets")).toBe(2);
  await ada.say("Three");
  await expect.poll(() => told(second)).toEqual([`${ada.name}: Three`]);
  await expect(second.unread(ada)).toHaveText("3");
  await expect(second.page).toHaveTitle("(3) Tidings");

  const third = await second.secondTab();
  await expect(third.unread(ada)).toHaveText("3");
  await third.conversationRow(ada).click();
  await expect(ada.message("Three")).toHaveAttribute("data-state", "read");
  for (const view of [second, third]) {
    await expect(view.unread(ada)).toHaveCount(0);
    await expect(view.page).toHaveTitle(view === third ? `${ada.name} – Tidings` : "Tidings");
  }
  await ada.page.waitForTimeout(SHORT_GRACE_MS + PRESENCE_MS);
  expect(await absencesOf(ada.page)).toBe(0);
  expect(await told(second, third)).toEqual([`${ada.name}: Three`]);
});
