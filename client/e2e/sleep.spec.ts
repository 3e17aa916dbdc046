import type { JSHandle, Page } from "@playwright/test";
import { PONG_MS, QUIET_MS } from "../src/sdk/connection/connection";
import { expect, type Person, test } from "./fixtures";
import { expectGrowth, recordNumbers } from "./observed";
import { talk } from "./person";
import { QUICK_RETURN } from "./server";

test("f16: a page that hears nothing asks, comes back, and has everything once", async ({
  person,
  cable,
}) => {
  const [ada, bob] = [await person("Ada", { on: cable }), await person("Bob")];
  await talk(ada, bob);
  // Those for files and lists are closed when they are idle: only the socket is left.
  await expect.poll(() => cable.connections).toBe(1);
  const sent = await framesSent(ada.page);
  await recordNumbers(ada.page);
  const since = Date.now();
  cable.deafen();
  await ada.say("Can you hear me?");
  await expect(bob.message("Can you hear me?")).toBeVisible();
  for (const text of ["Yes", "I can", "Can you?"]) await bob.say(text);
  await ada.say("I hear nothing");
  await expect(bob.message("I hear nothing")).toBeVisible();
  // What it sent was stored, and it cannot know.
  for (const text of ["Can you hear me?", "I hear nothing"]) {
    await expect(ada.message(text)).toHaveAttribute("data-state", "pending");
  }
  await expect(ada.page.getByTestId("message")).toHaveCount(3);

  const sockets = () => ada.page.evaluate(() => window.sockets.length);
  await expect.poll(sockets, { timeout: 2 * (QUIET_MS + PONG_MS) }).toBe(2);
  expect(Date.now() - since).toBeGreaterThan(QUIET_MS);
  expect(await sent.jsonValue()).toContain("ping");
  const texts = ["Before", "Can you hear me?", "Yes", "I can", "Can you?", "I hear nothing"];
  await ada.reads(texts);
  await bob.reads(texts);
  await expect(ada.message("I hear nothing")).toHaveAttribute("data-state", "read");
  await expectGrowth(ada.page, 1, texts.length);
});

test("f21: a tab that slept fills the gap before it shows anything newer", async ({
  person,
  ownServer,
  ownChromium,
}) => {
  // The gap is too wide for a replay: it is fetched, while live messages come in.
  const on = await ownServer({
    ...QUICK_RETURN,
    TIDINGS_SENDS_PER_SECOND: "0",
    TIDINGS_REPLAY_MAX: "3",
  });
  const chromium = await ownChromium();
  const [ada, bob] = [
    await person("Ada", { on }),
    await person("Bob", { on, at: await chromium.run() }),
  ];
  await talk(ada, bob);
  await recordNumbers(bob.page);
  const wake = await putToSleep(bob);
  for (const text of series("While the socket is open", 5)) await ada.say(text);
  await expect(ada.message("While the socket is open 5")).toHaveAttribute("data-seq", "6");
  // In an hour a server is restarted, and nobody tells a tab that sleeps.
  await on.end("SIGKILL");
  await on.run();
  await ada.isConnected();
  for (const text of series("While there is none", 8)) await ada.say(text);
  await expect(ada.message("While there is none 8")).toHaveAttribute("data-seq", "14");
  const overtaken = frameWith(bob.page, "At last 3");
  await bob.page.route(/\/messages\?/, async (route) => {
    await overtaken;
    await route.continue();
  });
  const heard = await wake();
  await bob.isConnected();
  for (const text of series("At last", 3)) await ada.say(text);
  const texts = [
    "Before",
    ...series("While the socket is open", 5),
    ...series("While there is none", 8),
    ...series("At last", 3),
  ];
  await bob.reads(texts);
  await expectGrowth(bob.page, 1, texts.length);
  expect(heard).toEqual(["freeze", "resume"]);
  // It stays where what was missed begins: the rest has not been seen.
  await expect(ada.message("At last 3")).toHaveAttribute("data-state", "delivered");
  await bob.page.getByTestId("jump-to-latest").click();
  await expect(ada.message("At last 3")).toHaveAttribute("data-state", "read");
});

test("f21: a page out of the back-forward cache fills its gap first", async ({
  person,
  ownChromium,
}) => {
  const chromium = await ownChromium();
  const [ada, bob] = [await person("Ada"), await person("Bob", { at: await chromium.run() })];
  await talk(ada, bob);
  await recordNumbers(bob.page);
  await bob.page.goto(`${bob.home}/favicon.svg`);
  for (const text of series("While he looks elsewhere", 10)) await ada.say(text);
  await expect(ada.message("While he looks elsewhere 10")).toHaveAttribute("data-seq", "11");
  await Promise.all([bob.page.goBack({ waitUntil: "commit" }), ada.say("Back?")]);
  for (const text of series("At last", 3)) await ada.say(text);
  const texts = [
    "Before",
    ...series("While he looks elsewhere", 10),
    "Back?",
    ...series("At last", 3),
  ];
  await bob.reads(texts);
  // It holds what was noted before it was left: it is the same page, and was not loaded again.
  await expectGrowth(bob.page, 1, texts.length);
  await bob.page.getByTestId("jump-to-latest").click();
  await expect(ada.message("At last 3")).toHaveAttribute("data-state", "read");
});

/** When a socket that is opened from now on has received a text. */
function frameWith(page: Page, text: string): Promise<void> {
  return new Promise((received) => {
    page.on("websocket", (socket) => {
      socket.on("framereceived", ({ payload }) => {
        if (payload.includes(text)) received();
      });
    });
  });
}

function series(text: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${text} ${index + 1}`);
}

/**
 * Another tab comes to the front, and this one is frozen as by a browser that
 * saves energy. What is given back wakes it, and tells what it has heard of all that.
 */
async function putToSleep({ page, context }: Person): Promise<() => Promise<string[]>> {
  const events = await page.evaluateHandle(() => {
    const heard: string[] = [];
    for (const type of ["freeze", "resume"]) {
      document.addEventListener(type, () => heard.push(type));
    }
    return heard;
  });
  const front = await context.newPage();
  await front.bringToFront();
  await expect.poll(() => page.evaluate(() => document.visibilityState)).toBe("hidden");
  const session = await context.newCDPSession(page);
  await session.send("Page.setWebLifecycleState", { state: "frozen" });
  await expect.poll(() => events.jsonValue()).toEqual(["freeze"]);
  return async () => {
    await session.send("Page.setWebLifecycleState", { state: "active" });
    await page.bringToFront();
    await expect.poll(() => page.evaluate(() => document.visibilityState)).toBe("visible");
    return events.jsonValue();
  };
}

/** The types of the frames that the page's socket sends from now on. */
function framesSent(page: Page): Promise<JSHandle<string[]>> {
  return page.evaluateHandle(() => {
    const types: string[] = [];
    const socket = window.sockets.at(-1);
    if (socket === undefined) throw new Error("there is no socket");
    const send = socket.send.bind(socket);
    socket.send = (frame: string) => {
      types.push(JSON.parse(frame).type);
      send(frame);
    };
    return types;
  });
}
