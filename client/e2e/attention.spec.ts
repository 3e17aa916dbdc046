import { expect, test } from "./fixtures";
import { notificationsOf, setVisibility } from "./observed";
import { clickNotification, isKept } from "./worker";

const ALLOWED = { permissions: ["notifications"] };

test("a toast tells of a message elsewhere and opens it", async ({ person }) => {
  const [ada, bob] = [await person("Ada"), await person("Bob")];
  await ada.talkWith(bob);
  await ada.say("Look here");
  const toast = bob.page.getByTestId("toast");
  await expect(toast).toContainText(ada.name);
  await expect(toast).toContainText("Look here");
  await toast.click();
  await expect(bob.message("Look here")).toBeVisible();
  await expect(toast).toHaveCount(0);

  await ada.say("In front of you");
  await expect(bob.message("In front of you")).toBeVisible();
  await expect(toast).toHaveCount(0);
});

test("the unread are counted in the list and the title, alike in two tabs", async ({ person }) => {
  const [ada, bob] = [await person("Ada"), await person("Bob")];
  const tab = await bob.secondTab();
  await ada.talkWith(bob);
  for (const text of ["One", "Two", "Three"]) await ada.say(text);
  for (const view of [bob, tab]) {
    await expect(view.unread(ada)).toHaveText("3");
    await expect(view.page).toHaveTitle("(3) Tidings");
    await expect(view.conversationRow(ada)).toContainText("Three");
  }
  await bob.page.reload();
  await expect(bob.unread(ada)).toHaveText("3");

  await tab.conversationRow(ada).click();
  await expect(tab.message("Three")).toBeVisible();
  for (const view of [bob, tab]) {
    await expect(view.unread(ada)).toHaveCount(0);
    await expect(view.page).toHaveTitle(view === tab ? `${ada.name} – Tidings` : "Tidings");
  }
});

test("a hidden page notifies once a message, whatever the tabs", async ({ person }) => {
  const ada = await person("Ada");
  const bob = await person("Bob", ALLOWED);
  const tab = await bob.secondTab();
  const tabs = [bob.page, tab.page];
  const notifications = async () => (await Promise.all(tabs.map(notificationsOf))).flat();
  for (const page of tabs) await setVisibility(page, "hidden");
  await ada.talkWith(bob);
  await ada.say("First");
  await expect.poll(notifications).toEqual([`${ada.name}: First`]);
  await ada.say("Second");
  await expect.poll(notifications).toEqual([`${ada.name}: First`, `${ada.name}: Second`]);
  await expect(tab.unread(ada)).toHaveText("2");
  await expect(bob.unread(ada)).toHaveText("2");

  // The page in view tells by itself.
  await setVisibility(tab.page, "visible");
  await ada.say("Third");
  for (const view of [bob, tab]) await expect(view.unread(ada)).toHaveText("3");
  expect(await notifications()).toHaveLength(2);

  await setVisibility(tab.page, "hidden");
  await ada.say("Fourth");
  await expect.poll(notifications).toHaveLength(3);
});

test("a click on the notification opens the conversation", async ({ person }) => {
  const ada = await person("Ada");
  const bob = await person("Bob", ALLOWED);
  await isKept(bob.page);
  await setVisibility(bob.page, "hidden");
  await ada.talkWith(bob);
  await ada.say("Come and see");
  await expect.poll(() => notificationsOf(bob.page)).toHaveLength(1);
  await clickNotification(bob.context);
  await expect(bob.message("Come and see")).toBeVisible();
  // In front, and yet not in view: not read.
  await expect(ada.message("Come and see")).toHaveAttribute("data-state", "delivered");
  await setVisibility(bob.page, "visible");
  await expect(ada.message("Come and see")).toHaveAttribute("data-state", "read");
});

test("permission is asked for by a click only", async ({ person }) => {
  const bob = await person("Bob");
  const offer = bob.page.getByTestId("notifications-on");
  await expect(offer).toBeVisible();
  const asked = () => bob.page.evaluate(() => window.permissionAsked);
  expect(await asked()).toBe(0);
  await offer.click();
  await expect.poll(asked).toBe(1);
});
