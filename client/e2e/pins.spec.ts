import type { Locator } from "@playwright/test";
import { PINS_MAX } from "../src/sdk/protocol/generated";
import { expect, type Person, test } from "./fixtures";
import { talk } from "./person";
import { sendAll, sendEach } from "./raw";
import { isKept } from "./worker";

const PHONE = { viewport: { width: 390, height: 780 }, hasTouch: true, isMobile: true };

/** The mark of a pinned message. */
const mark = (view: Person, text: string) =>
  view.message(text).getByLabel("Pinned", { exact: true });
/** The button that opens the list, and says how many there are. */
const opener = (view: Person) => view.page.getByTestId("pins-open");
const listed = (view: Person) => view.page.getByTestId("pinned-message");

/** Pins a message, or unpins it, by the button beside it. */
async function press(view: Person, text: string): Promise<void> {
  const message = view.message(text);
  await message.hover();
  await message.getByTestId("pin").click();
}

/** The numbered lines of somebody who wrote many. */
const lines = (count: number) => Array.from({ length: count }, (_, at) => `Line ${at + 1} of many`);

test("a pinned message is marked for both, on every device, and after a reload", async ({
  person,
}) => {
  const [ada, bob] = [await person("Ada"), await person("Bob")];
  await talk(ada, bob);
  const other = await ada.secondTab();
  await other.talkWith(bob);
  await bob.say("Not this one");
  for (const view of [ada, other, bob]) await expect(view.message("Not this one")).toBeVisible();

  await press(ada, "Before");
  for (const view of [ada, other, bob]) {
    await expect(mark(view, "Before")).toBeVisible();
    await expect(opener(view)).toHaveText("1 pinned");
    await view.reads(["Before", "Not this one"]);
  }
  // Not as something new: neither unread nor in the list.
  await bob.leaveConversation();
  await expect(bob.conversationRow(ada)).toContainText("Not this one");
  await expect(bob.unread(ada)).toHaveCount(0);
  await bob.conversationRow(ada).click();

  for (const view of [other, bob]) {
    await view.page.reload();
    await expect(mark(view, "Before")).toBeVisible();
  }
  await press(bob, "Before");
  for (const view of [ada, other, bob]) {
    await expect(mark(view, "Before")).toHaveCount(0);
    await expect(opener(view)).toHaveCount(0);
  }
  await ada.page.reload();
  await ada.reads(["Before", "Not this one"]);
  await expect(mark(ada, "Before")).toHaveCount(0);
});

test("what is pinned offline is marked at once, and sent once on return", async ({
  person,
  stranger,
  cable,
}) => {
  const ada = await person("Ada", { on: cable });
  const bob = await stranger("Bob");
  const pins: string[] = [];
  bob.page.on("websocket", (socket) =>
    socket.on("framereceived", ({ payload }) => {
      if (JSON.parse(`${payload}`).kind === "pin") pins.push(`${payload}`);
    }),
  );
  await bob.logIn();
  await talk(ada, bob);
  await isKept(ada.page);
  await ada.context.setOffline(true);
  cable.cut();
  await press(ada, "Before");
  await ada.say("After the pin");
  await expect(mark(ada, "Before")).toBeVisible();
  await ada.page.reload();
  await ada.reads(["Before", "After the pin"]);
  await expect(mark(ada, "Before")).toBeVisible();
  await expect(opener(ada)).toHaveText("1 pinned");

  cable.mend();
  await ada.context.setOffline(false);
  await bob.reads(["Before", "After the pin"]);
  await expect(mark(bob, "Before")).toBeVisible();
  await expect(ada.message("After the pin")).toHaveAttribute("data-state", "read");
  await expect(mark(ada, "Before")).toBeVisible();
  expect(pins).toHaveLength(1);
});

test("the list has what was pinned last on top, and leads to each message", async ({ person }) => {
  const [ada, bob] = [await person("Ada"), await person("Bob")];
  await ada.talkWith(bob);
  const texts = lines(300);
  await sendAll(ada.page, texts);
  await sendEach(
    ada.page,
    [2, 299, 150].map((target) => ({ kind: "pin", target, on: true })),
  );
  await bob.conversationRow(ada).click();
  await bob.page.getByTestId("jump-to-latest").click();
  await expect(ada.message("Line 300 of many")).toHaveAttribute("data-state", "read");
  // Now only the end of the conversation is on the page.
  await bob.page.goto("about:blank");
  await bob.page.goto("/");
  await bob.conversationRow(ada).click();
  await expect(opener(bob)).toHaveText("3 pinned");
  await opener(bob).click();
  const dialog = bob.page.getByRole("dialog", { name: "Pinned messages" });
  await expect(listed(bob)).toHaveText([/Line 150 of/, /Line 299 of/, /Line 2 of/]);
  await expect(listed(bob).first()).toContainText(ada.name);

  await listed(bob).last().getByTestId("pinned-go").click();
  await expect(dialog).toHaveCount(0);
  const found = bob.message("Line 2 of many");
  await expect(found).toBeInViewport();
  await expect(found).toBeFocused();
  await expect(mark(bob, "Line 2 of many")).toBeVisible();

  await opener(bob).click();
  // The one that is held is there at once; the others are loaded.
  await expect(listed(bob)).toHaveCount(3);
  await listed(bob).first().getByTestId("pinned-unpin").click();
  await expect(listed(bob)).toHaveText([/Line 299 of/, /Line 2 of/]);
  await expect(dialog.locator(":focus")).toHaveCount(1);
  await expect(opener(ada)).toHaveText("2 pinned");
  await bob.page.keyboard.press("Escape");
  await expect(opener(bob)).toBeFocused();

  // When the last one goes, so does the button.
  await opener(bob).click();
  for (let left = 1; left >= 0; left -= 1) {
    await listed(bob).first().getByTestId("pinned-unpin").click();
    await expect(listed(bob)).toHaveCount(left);
  }
  await expect(dialog.getByText("No messages are pinned.")).toBeVisible();
  await bob.page.keyboard.press("Escape");
  await expect(opener(bob)).toHaveCount(0);
  await expect(bob.page.getByRole("heading", { level: 1 })).toBeFocused();
});

test("a key pins the message that has the focus, and writes where none shows it", async ({
  person,
}) => {
  const [ada, bob] = [await person("Ada"), await person("Bob")];
  await talk(ada, bob);
  const { keyboard } = ada.page;
  await ada.page.getByRole("log").press("ArrowUp");
  await expect(ada.message("Before")).toBeFocused();
  await keyboard.press("p");
  await expect(mark(bob, "Before")).toBeVisible();
  await expect(ada.message("Before")).toBeFocused();
  await keyboard.press("p");
  await expect(mark(bob, "Before")).toHaveCount(0);

  await ada.page.getByTestId("composer").click();
  await ada.message("Before").click();
  await keyboard.type("please");
  await expect(ada.page.getByTestId("composer")).toHaveValue("please");
  await expect(mark(ada, "Before")).toHaveCount(0);
});

test("on a phone a finger reaches the button, the list, and the message", async ({ person }) => {
  const [bob, ada] = [await person("Bob"), await person("Ada", PHONE)];
  await bob.talkWith(ada);
  await sendAll(bob.page, lines(60));
  await ada.personRow(bob).tap();
  const first = ada.message("Line 1 of many");
  await expect(first).toBeInViewport();
  const button = first.getByTestId("more");
  await expect(button).toBeVisible();
  await isLargeEnough(button);
  await button.tap();
  await isLargeEnough(ada.page.getByTestId("menu-pin"));
  await ada.page.getByTestId("menu-pin").tap();
  await expect(opener(bob)).toHaveText("1 pinned");
  await ada.page.getByTestId("jump-to-latest").tap();
  await expect(first).not.toBeInViewport();
  await opener(ada).tap();
  await isLargeEnough(listed(ada).getByTestId("pinned-unpin"));
  await listed(ada).getByTestId("pinned-go").tap();
  await expect(first).toBeInViewport();
  const width = await ada.page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  expect(width, "nothing is wider than the page").toBe(0);
});

test("one pin too many is refused, with the reason, and shows no more", async ({ person }) => {
  const [ada, bob] = [await person("Ada"), await person("Bob")];
  await ada.talkWith(bob);
  await sendAll(ada.page, lines(PINS_MAX + 1));
  await sendEach(
    ada.page,
    Array.from({ length: PINS_MAX }, (_, at) => ({ kind: "pin", target: at + 1, on: true })),
  );
  await expect(opener(ada)).toHaveText(`${PINS_MAX} pinned`);
  const last = `Line ${PINS_MAX + 1} of many`;
  await press(ada, last);
  await expect(ada.page.getByText(`Only ${PINS_MAX} messages can be pinned.`)).toBeVisible();
  await expect(mark(ada, last)).toHaveCount(0);
  await expect(opener(ada)).toHaveText(`${PINS_MAX} pinned`);
  await ada.say("And on");
  await expect(ada.message("And on")).toHaveAttribute("data-state", "delivered");
});

/** The least that a finger hits. */
const TARGET = 24;

async function isLargeEnough(button: Locator): Promise<void> {
  const box = await button.boundingBox();
  expect(Math.min(box?.width ?? 0, box?.height ?? 0)).toBeGreaterThanOrEqual(TARGET);
}
