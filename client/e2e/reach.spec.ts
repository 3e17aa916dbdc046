import { expect, type Person, test } from "./fixtures";
import { notificationsOf, setVisibility } from "./observed";
import { talk } from "./person";
import { deliverPush, insteadOfTexts, isKept, onScreen, workerOf } from "./worker";

const ALLOWED = { permissions: ["notifications"] };

test("three hidden tabs show one notification of each conversation, with its last message", async ({
  person,
}) => {
  const [ada, eve] = [await person("Ada"), await person("Eve")];
  const bob = await person("Bob", ALLOWED);
  await isKept(bob.page);
  const tabs = [bob, await bob.secondTab(), await bob.secondTab()];
  for (const { page } of tabs) await setVisibility(page, "hidden");
  await ada.talkWith(bob);
  await eve.talkWith(bob);
  await ada.say("First");
  await expect.poll(() => onScreen(bob.context)).toEqual([`${ada.name}: First`]);
  await ada.say("Second");
  await expect.poll(() => onScreen(bob.context)).toEqual([`${ada.name}: Second`]);
  await eve.say("From Eve");
  await expect.poll(() => onScreen(bob.context)).toHaveLength(2);
  const told = (await Promise.all(tabs.map(({ page }) => notificationsOf(page)))).flat();
  expect(told).toEqual([`${ada.name}: First`, `${ada.name}: Second`, `${eve.name}: From Eve`]);

  // Read in one of them, it is closed for all; what is not read stays.
  const [, , third] = tabs;
  if (third === undefined) throw new Error("there are three tabs");
  await setVisibility(third.page, "visible");
  await third.conversationRow(ada).click();
  await expect(third.message("Second")).toBeVisible();
  await expect.poll(() => onScreen(bob.context)).toEqual([`${eve.name}: From Eve`]);
});

test("a notification is closed once its message is read on another device", async ({
  person,
  stranger,
}) => {
  const ada = await person("Ada");
  const bob = await person("Bob", ALLOWED);
  await isKept(bob.page);
  await bob.page.getByTestId("settings-open").click();
  await bob.page.getByTestId("password-new").fill("correct horse battery staple");
  await bob.page.getByTestId("password-submit").click();
  await expect(bob.page.getByTestId("password-saved")).toBeVisible();
  const phone = await stranger("Bob");
  await phone.page.goto("/");
  await phone.page.getByTestId("login-name").fill(bob.name);
  await phone.page.getByTestId("login-submit").click();
  await phone.page.getByTestId("login-password").fill("correct horse battery staple");
  await phone.page.getByTestId("login-submit").click();
  await setVisibility(bob.page, "hidden");
  await ada.talkWith(bob);
  await ada.say("To both");
  await expect.poll(() => onScreen(bob.context)).toEqual([`${ada.name}: To both`]);
  await phone.conversationRow(ada).click();
  await expect(phone.message("To both")).toBeVisible();
  await expect.poll(() => onScreen(bob.context)).toEqual([]);
});

test("the text stays hidden, and everything silent, when the user wants it so", async ({
  person,
}) => {
  const ada = await person("Ada");
  const bob = await person("Bob", ALLOWED);
  await isKept(bob.page);
  await bob.page.getByTestId("settings-open").click();
  await bob.page.getByTestId("notifications-text").uncheck();
  await bob.page.getByTestId("sound-switch").uncheck();
  await bob.page.keyboard.press("Escape");
  await setVisibility(bob.page, "hidden");
  await ada.talkWith(bob);
  await ada.say("A secret");
  await expect.poll(() => onScreen(bob.context)).toEqual([`${ada.name}: New message`]);
  const silent = await bob.page.evaluate(() => window.notifications.map(({ silent }) => silent));
  expect(silent).toEqual([true]);
  expect(await tonesOf(bob)).toBe(0);
});

test("a sound is heard once, in one tab, and not for what is in view", async ({ person }) => {
  const [ada, eve] = [await person("Ada"), await person("Eve")];
  const bob = await person("Bob");
  const tab = await bob.secondTab();
  const tones = async () => (await tonesOf(bob)) + (await tonesOf(tab));
  // Somebody who has done something on a page may be heard by it.
  for (const { page } of [bob, tab]) await page.mouse.click(5, 5);
  await talk(ada, bob);
  expect(await tones()).toBe(0);
  await ada.say("In view in one of two tabs");
  await expect(tab.unread(ada)).toHaveCount(0);
  await eve.talkWith(bob);
  await eve.say("Elsewhere");
  await expect.poll(tones).toBe(2);
  await expect(tab.unread(eve)).toHaveText("1");

  await bob.page.getByTestId("settings-open").click();
  await bob.page.getByTestId("sound-switch").uncheck();
  await bob.page.keyboard.press("Escape");
  await eve.say("Unheard");
  await expect(bob.unread(eve)).toHaveText("2");
  await expect(tab.unread(eve)).toHaveText("2");
  expect(await tones()).toBe(2);
});

test("the icon of the app shows how many are unread", async ({ person }) => {
  const [ada, bob] = [await person("Ada"), await person("Bob")];
  const badge = () => bob.page.evaluate(() => window.badges.at(-1));
  await expect.poll(badge).toBe(0);
  await ada.talkWith(bob);
  await ada.say("One");
  await ada.say("Two");
  await expect.poll(badge).toBe(2);
  await bob.conversationRow(ada).click();
  await expect(bob.message("Two")).toBeVisible();
  await expect.poll(badge).toBe(0);
});

test("blocked notifications leave toasts, the title and the sound", async ({ person }) => {
  const [ada, bob] = [await person("Ada"), await person("Bob")];
  await bob.page.evaluate(() => {
    Object.defineProperty(Notification, "permission", { get: () => "denied" });
  });
  await bob.page.getByTestId("settings-open").click();
  await expect(bob.page.getByTestId("notifications-switch")).toBeDisabled();
  await bob.page.keyboard.press("Escape");
  await setVisibility(bob.page, "hidden");
  await ada.talkWith(bob);
  await ada.say("All the same");
  await expect(bob.page.getByTestId("toast")).toContainText("All the same");
  await expect(bob.page).toHaveTitle("(1) Tidings");
  await expect.poll(() => tonesOf(bob)).toBe(2);
  expect(await notificationsOf(bob.page)).toEqual([]);
});

test("a push is shown while there is no page, once, and by what the user wishes", async ({
  person,
}) => {
  const [ada, bob] = [await person("Ada"), await person("Bob", ALLOWED)];
  await talk(ada, bob);
  await isKept(bob.page);
  const notice = await noticeFor(bob, ada);
  const push = (seq: number, changes = {}) =>
    deliverPush(bob.context, bob.home, { ...notice, seq, excerpt: `Number ${seq}`, ...changes });

  // A page in view tells by itself.
  await push(2);
  expect(await onScreen(bob.context)).toEqual([]);
  await bob.page.goto("about:blank");
  await push(3);
  expect(await onScreen(bob.context)).toEqual([`${ada.name}: Number 3`]);
  // Old, read already, or for somebody else.
  await push(2);
  await push(1);
  await push(4, { user: notice.sender.id });
  expect(await onScreen(bob.context)).toEqual([`${ada.name}: Number 3`]);
  await push(5);
  expect(await onScreen(bob.context)).toEqual([`${ada.name}: Number 5`]);

  const worker = await workerOf(bob.context);
  await worker.evaluate(() => {
    const { navigator } = self as unknown as { navigator: Navigator & { badge?: number } };
    navigator.setAppBadge = async (unread) => {
      navigator.badge = unread ?? 0;
    };
  });
  await push(6, { unread: 4 });
  const badge = () =>
    worker.evaluate(() => (self.navigator as Navigator & { badge?: number }).badge);
  expect(await badge()).toBe(4);

  await bob.page.goto(bob.home);
  await bob.isIn();
  await bob.page.getByTestId("settings-open").click();
  await bob.page.getByTestId("notifications-text").uncheck();
  await expect.poll(() => insteadOfTexts(bob.page)).toBe("New message");
  await bob.page.goto("about:blank");
  await push(7);
  expect(await onScreen(bob.context)).toEqual([`${ada.name}: New message`]);

  // After the log-out it is nobody's.
  await bob.page.goto(bob.home);
  await bob.page.getByTestId("settings-open").click();
  await bob.page.getByTestId("logout").click();
  await bob.page.getByTestId("logout-anyway").click();
  await expect(bob.page.getByTestId("login-name")).toBeVisible();
  await expect.poll(() => onScreen(bob.context)).toEqual([]);
  await bob.page.goto("about:blank");
  await push(8);
  await push(9);
  expect(await onScreen(bob.context)).toEqual([]);
});

function tonesOf({ page }: Person): Promise<number> {
  return page.evaluate(() => window.tones);
}

/** What the server would send to Bob of what Ada writes. */
async function noticeFor(bob: Person, ada: Person) {
  const session = await (await bob.context.request.get(`${bob.home}/api/session`)).json();
  const conversation = bob.page.url().split("/c/")[1] ?? "";
  const { members } = await (
    await bob.context.request.get(`${bob.home}/api/conversations/${conversation}`)
  ).json();
  const sender = members
    .map((member: { user: { id: string; name: string } }) => member.user)
    .find(({ name }: { name: string }) => name === ada.name);
  return {
    user: session.user.id as string,
    conversation,
    at: "2026-11-23T19:00:00.000Z",
    sender,
    unread: 1,
  };
}
