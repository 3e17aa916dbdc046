import type { Page } from "@playwright/test";
import { expect, type Person, test } from "./fixtures";
import { refuseNext } from "./observed";
import { sendAll } from "./raw";

/** Presses a key until what is looked for has the focus, and can be seen to have it. */
async function goTo(page: Page, selector: string, key: "Tab" | "Shift+Tab"): Promise<void> {
  const wanted = page.locator(`${selector}:focus-visible`);
  for (let presses = 0; presses < 30 && (await wanted.count()) === 0; presses += 1) {
    await page.keyboard.press(key);
  }
  await expect(wanted).toHaveCSS("outline-style", "solid");
}

const composer = (view: Person) => view.page.getByTestId("composer");

async function isInFront(view: Person, other: Person): Promise<void> {
  await expect(view.page.getByRole("heading", { level: 1 })).toHaveText(other.name);
}

test("logging in, talking and going about need no mouse", async ({ stranger, person }) => {
  const [bob, eve] = [await person("Bob"), await person("Eve")];
  const ada = await stranger("Ada");
  const { page } = ada;
  const { keyboard } = page;
  await page.goto("/");
  await expect(page.getByTestId("login-name")).toBeFocused();
  await keyboard.type(ada.name);
  await keyboard.press("Enter");
  await ada.isIn();

  await expect(ada.personRow(bob)).toBeVisible();
  await goTo(page, '[data-testid="person"]', "Tab");
  await keyboard.press("Home");
  // The list is one stop for Tab; arrows lead on in it.
  while ((await page.locator(":focus").getAttribute("data-name")) !== bob.name) {
    await keyboard.press("ArrowDown");
  }
  await keyboard.press("Enter");
  await isInFront(ada, bob);
  await expect(composer(ada)).toBeFocused();
  await keyboard.type("Is this / not a shortcut?");
  await keyboard.press("Enter");
  await expect(bob.unread(ada)).toHaveText("1");

  await keyboard.press("ControlOrMeta+K");
  await expect(page.getByTestId("switcher-search")).toBeFocused();
  await keyboard.type(eve.name);
  await expect(page.getByRole("option")).toHaveCount(1);
  await keyboard.press("Enter");
  await isInFront(ada, eve);
  await expect(composer(ada)).toBeFocused();
  await keyboard.type("And you?");
  await keyboard.press("Enter");
  await expect(eve.unread(ada)).toHaveText("1");

  await keyboard.press("Alt+ArrowDown");
  await isInFront(ada, bob);
  await keyboard.press("Alt+ArrowUp");
  await isInFront(ada, eve);
  await expect(composer(ada)).toBeFocused();

  await bob.talkWith(ada);
  await bob.say("Over here");
  await expect(ada.unread(bob)).toHaveText("1");
  await keyboard.press("Alt+Shift+ArrowDown");
  await isInFront(ada, bob);
  await expect(ada.message("Over here")).toBeVisible();

  await keyboard.press("Escape");
  await expect(ada.conversationRow(bob)).toBeFocused();
  await keyboard.press("Enter");
  await isInFront(ada, bob);
});

test("shortcuts are listed, and leave alone who is writing", async ({ person }) => {
  const [ada, bob] = [await person("Ada"), await person("Bob")];
  const { page } = ada;
  const { keyboard } = page;
  await ada.talkWith(bob);
  await expect(composer(ada)).toBeFocused();
  await keyboard.type("?/");
  await keyboard.press("Escape");
  await expect(composer(ada)).toHaveValue("?/");
  await isInFront(ada, bob);

  await goTo(page, '[role="log"]', "Shift+Tab");
  await keyboard.press("?");
  const list = page.getByRole("dialog", { name: "Keyboard shortcuts" });
  await expect(list).toBeVisible();
  // The page behind it is out of reach, also for shortcuts.
  await keyboard.press("/");
  for (let presses = 0; presses < 3; presses += 1) await keyboard.press("Tab");
  await expect(page.locator("main :focus, aside :focus-within")).toHaveCount(0);
  await keyboard.press("Escape");
  await expect(list).toHaveCount(0);
  await isInFront(ada, bob);
  await expect(page.getByRole("log")).toBeFocused();

  await keyboard.press("/");
  await expect(page.getByTestId("people-search")).toBeFocused();
  await keyboard.type(bob.name);
  await expect(page.getByTestId("conversation")).toHaveCount(1);
});

test("settings keep the focus until Escape, and give it back", async ({ person }) => {
  const { page } = await person("Ada");
  const { keyboard } = page;
  await goTo(page, '[data-testid="settings-open"]', "Tab");
  await keyboard.press("Enter");
  const settings = page.getByRole("dialog", { name: "Settings" });
  await expect(settings).toBeVisible();
  const inside = settings.locator(":focus");
  await goTo(page, '[data-testid="logout"]', "Tab");
  await expect(inside).toHaveCount(1);
  // The page behind it is out of reach.
  for (let presses = 0; presses < 5; presses += 1) await keyboard.press("Tab");
  await expect(page.locator("main :focus, aside :focus-within")).toHaveCount(0);
  await keyboard.press("Escape");
  await expect(settings).toHaveCount(0);
  await expect(page.getByTestId("settings-open")).toBeFocused();
});

test("the keys that scroll lead to a message far up that was not sent", async ({ person }) => {
  const [ada, bob] = [await person("Ada"), await person("Bob")];
  const { page } = ada;
  const { keyboard } = page;
  await bob.talkWith(ada);
  await sendAll(
    bob.page,
    Array.from({ length: 120 }, (_, at) => `From Bob ${at + 1}`),
  );
  await ada.talkWith(bob);
  await expect(ada.page.getByRole("log")).toBeVisible();
  await refuseNext(page);
  await ada.say("Refused");
  await expect(ada.message("Refused")).toHaveAttribute("data-state", "failed");
  await expect(ada.message("From Bob 120")).toBeVisible();

  await goTo(page, '[role="log"]', "Shift+Tab");
  const focused = page.locator('[data-testid="message"]:focus');
  await keyboard.press("ArrowUp");
  await expect(focused).toContainText("Refused");
  await keyboard.press("ArrowUp");
  await expect(focused).toContainText("From Bob 120");
  await keyboard.press("PageUp");
  const number = async () => Number(await focused.getAttribute("data-seq"));
  expect(await number()).toBeLessThan(118);
  expect(await number()).toBeGreaterThan(90);
  await keyboard.press("Home");
  await expect(focused).toHaveAttribute("data-seq", "1");
  await expect(focused).toBeInViewport();
  await keyboard.press("ArrowDown");
  await expect(focused).toHaveAttribute("data-seq", "2");
  await keyboard.press("End");
  await expect(focused).toContainText("Refused");
  await expect(focused).toBeInViewport();
  await keyboard.press("Tab");
  await expect(page.getByRole("button", { name: "Try again" })).toBeFocused();
  await keyboard.press("Enter");
  await expect(bob.message("Refused")).toBeVisible();
});

test("each list is one stop, and what is typed anywhere is written", async ({ person }) => {
  const [ada, bob, eve] = [await person("Ada"), await person("Bob"), await person("Eve")];
  const { page } = ada;
  const { keyboard } = page;
  for (const other of [bob, eve]) {
    await ada.talkWith(other);
    await ada.say("Hello");
    await expect(ada.conversationRow(other)).toContainText("Hello");
  }
  const list = page.getByTestId("conversation-list");
  await expect(list.locator('[tabindex="0"]')).toHaveCount(1);
  await goTo(page, '[data-testid="conversation"]', "Shift+Tab");
  await expect(ada.conversationRow(eve)).toBeFocused();
  for (const [key, other] of [
    ["ArrowDown", bob],
    ["ArrowDown", bob],
    ["Home", eve],
    ["End", bob],
    ["ArrowUp", eve],
  ] as const) {
    await keyboard.press(key);
    await expect(ada.conversationRow(other)).toBeFocused();
  }
  await keyboard.press("Tab");
  await expect(list.locator(":focus")).toHaveCount(0);
  // From the field above, Down leads into the list.
  await page.getByTestId("people-search").press("ArrowDown");
  await expect(ada.conversationRow(eve)).toBeFocused();

  await keyboard.type("Hi");
  await expect(composer(ada)).toBeFocused();
  await expect(composer(ada)).toHaveValue("Hi");
});

test("Home in a long conversation leaves the focus in it", async ({ person }) => {
  const [ada, bob] = [await person("Ada"), await person("Bob")];
  await bob.talkWith(ada);
  await sendAll(
    bob.page,
    Array.from({ length: 600 }, (_, at) => `From Bob ${at + 1}`),
  );
  await ada.talkWith(bob);
  const log = ada.page.getByRole("log");
  await expect(log).toBeVisible();
  await log.press("ArrowUp");
  await expect(ada.page.locator('[data-testid="message"]:focus')).toHaveCount(1);
  for (let presses = 0; presses < 4; presses += 1) {
    await ada.page.keyboard.press("Home");
    await expect(
      log.locator("article:focus").or(ada.page.locator('[role="log"]:focus')),
    ).toHaveCount(1);
  }
  await expect(async () => {
    await ada.page.keyboard.press("Home");
    await expect(ada.message("From Bob 1").first()).toBeFocused({ timeout: 500 });
  }).toPass();
});

test("the focus stays in the list when the message that had it is far away", async ({ person }) => {
  const [ada, bob] = [await person("Ada"), await person("Bob")];
  const { page } = ada;
  await ada.talkWith(bob);
  await bob.talkWith(ada);
  await bob.say("First");
  await expect(ada.message("First")).toBeVisible();
  await page.getByRole("log").press("ArrowUp");
  await expect(ada.message("First")).toBeFocused();
  await sendAll(
    bob.page,
    Array.from({ length: 200 }, (_, at) => `From Bob ${at + 1}`),
  );
  await expect(ada.message("From Bob 200")).toBeVisible();
  await expect(ada.message("First")).toHaveCount(0);
  await expect(page.getByRole("log")).toBeFocused();
  await page.keyboard.press("Home");
  await expect(ada.message("First")).toBeFocused();
});

test("on a phone the focus follows into a conversation and back", async ({ person }) => {
  const bob = await person("Bob");
  const ada = await person("Ada", {
    viewport: { width: 390, height: 780 },
    hasTouch: true,
    isMobile: true,
  });
  await ada.personRow(bob).tap();
  const heading = ada.page.getByRole("heading", { level: 1, name: bob.name });
  await expect(heading).toBeFocused();
  await ada.page.getByTestId("composer").fill("Hello");
  await ada.page.getByTestId("send-button").tap();
  await expect(bob.unread(ada)).toHaveText("1");
  await ada.page.getByTestId("back").tap();
  await expect(ada.conversationRow(bob)).toBeFocused();
});
