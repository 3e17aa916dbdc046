import type { Page } from "@playwright/test";
import { expect, test } from "./fixtures";
import { bannersOf, countBanners, socketOf } from "./observed";
import { talk } from "./person";
import { QUICK_RETURN } from "./server";

/** The page says so only when an interruption lasts longer than 3 s. */
const banner = (page: Page) => page.getByTestId("banner");

const NUMBERS = Array.from({ length: 8 }, (_, index) => `Offline ${index + 1}`);

test("what was written offline goes out in order, once", async ({ person, cable }) => {
  const [ada, bob] = [await person("Ada", { on: cable }), await person("Bob")];
  await talk(ada, bob);
  // The first tells the browser, the second acts: a WebSocket outlives the first.
  await ada.context.setOffline(true);
  cable.cut();
  await expect(banner(ada.page)).toHaveText(
    "You're offline. Messages will be sent when you reconnect.",
  );
  for (const text of NUMBERS) await ada.say(text);
  for (const text of NUMBERS) {
    await expect(ada.message(text)).toHaveAttribute("data-state", "pending");
  }
  await bob.say("Meanwhile");
  cable.mend();
  await ada.context.setOffline(false);
  await bob.reads(["Before", "Meanwhile", ...NUMBERS]);
  await ada.reads(["Before", "Meanwhile", ...NUMBERS]);
  await expect(banner(ada.page)).toHaveCount(0);
  for (const text of NUMBERS) {
    await expect(ada.message(text)).toHaveAttribute("data-state", "read");
  }
});

test("the list shows what waits to be sent, first, and marked", async ({ person, cable }) => {
  const [ada, bob] = [await person("Ada", { on: cable }), await person("Bob")];
  const eve = await person("Eve");
  await talk(ada, bob);
  await eve.talkWith(ada);
  await eve.say("From Eve");
  const rows = ada.page.getByTestId("conversation");
  await expect(rows.first()).toContainText("From Eve");
  cable.cut();
  await ada.say("On its way");
  await expect(rows.first()).toContainText(bob.name);
  await expect(rows.first()).toContainText("You: On its way");
  const mark = ada.conversationRow(bob).getByRole("img", { name: "Sending…" });
  await expect(mark).toBeVisible();
  cable.mend();
  await expect(bob.message("On its way")).toBeVisible();
  await expect(mark).toHaveCount(0);
  await expect(rows.first()).toContainText("You: On its way");
});

test("what was not sent survives the page", async ({ person, ownServer }) => {
  const on = await ownServer();
  const [ada, bob] = [await person("Ada", { on }), await person("Bob", { on })];
  await talk(ada, bob);
  await on.end("SIGKILL");
  for (const text of NUMBERS) await ada.say(text);
  await expect(ada.message("Offline 8")).toHaveAttribute("data-state", "pending");
  const address = ada.page.url();
  // The page is gone before there is a server to send to.
  await ada.page.goto("about:blank");
  await on.run();
  await ada.page.goto(address);
  await ada.reads(["Before", ...NUMBERS]);
  await bob.reads(["Before", ...NUMBERS]);
  await expect(ada.message("Offline 8")).toHaveAttribute("data-state", "read");
  await ada.page.reload();
  await ada.reads(["Before", ...NUMBERS]);
});

test("a killed server is back with everything, once and in order", async ({
  person,
  ownServer,
}) => {
  const on = await ownServer();
  const [ada, bob] = [await person("Ada", { on }), await person("Bob", { on })];
  await talk(ada, bob);
  await ada.say("Just before the end");
  await on.end("SIGKILL");
  await ada.say("While it is away");
  await bob.say("Hello?");
  for (const { page } of [ada, bob]) await expect(banner(page)).toHaveText("Reconnecting…");
  await on.run();
  for (const view of [ada, bob]) {
    await view.isConnected();
    await expect(banner(view.page)).toHaveCount(0);
    await expect(view.message("While it is away")).toHaveCount(1);
    await expect(view.message("Hello?")).toHaveCount(1);
  }
  await ada.say("Here again");
  await expect(bob.message("Here again")).toBeVisible();
  await expect(ada.page.getByTestId("message")).toHaveCount(5);
  const texts = await ada.page.getByTestId("body").allTextContents();
  // The kill may have come before "Just before the end" was stored: then it is sent again, and
  // may be behind what Bob wrote. What one person wrote stays in order in any case.
  expect(texts.filter((text) => text !== "Hello?")).toEqual([
    "Before",
    "Just before the end",
    "While it is away",
    "Here again",
  ]);
  await bob.reads(texts);
  const numbers = ada.page.getByTestId("message");
  for (const [index] of texts.entries()) {
    await expect(numbers.nth(index)).toHaveAttribute("data-seq", `${index + 1}`);
  }
});

const WAYS: readonly (readonly [string, (page: Page) => Promise<void>])[] = [
  // As assistive technology does: without a pointer or a key.
  ["asking for it", (page) => page.getByTestId("connect-now").dispatchEvent("click")],
  ["typing", (page) => page.getByTestId("composer").press("H")],
  ["a click", (page) => page.getByRole("log").click()],
];

for (const [way, act] of WAYS) {
  test(`${way} ends a long wait for the next attempt`, async ({ person, ownServer }) => {
    const on = await ownServer({ TIDINGS_RECONNECT_MAX_MS: "600000" });
    const [ada, bob] = [await person("Ada", { on }), await person("Bob", { on })];
    await talk(ada, bob);
    await ada.page.evaluate(() => {
      window.chance = 0;
      Math.random = () => window.chance;
    });
    // What would tell that the server is back earlier does not get through.
    await ada.page.route("**/healthz", (route) => route.abort());
    await on.end("SIGKILL");
    const attempts = () => ada.page.evaluate(() => window.sockets.length);
    await expect.poll(attempts).toBeGreaterThan(8);
    // The wait after the next failure is more than a minute. One that is being tried fails next.
    const last = await ada.page.evaluate(() => {
      window.chance = 0.999;
      const tried = window.sockets.at(-1)?.readyState === WebSocket.CONNECTING;
      return window.sockets.length + (tried ? 0 : 1);
    });
    await expect.poll(attempts).toBe(last);
    await expect(ada.page.getByTestId("connect-now")).toBeVisible();
    await on.run();
    expect(await attempts()).toBe(last);
    await act(ada.page);
    await ada.isConnected();
    await expect(banner(ada.page)).toHaveCount(0);
  });
}

test("a short interruption shows no banner", async ({ person, ownServer }) => {
  const on = await ownServer(QUICK_RETURN);
  const [ada, bob] = [await person("Ada", { on }), await person("Bob", { on })];
  await talk(ada, bob);
  await countBanners(ada.page);
  await ada.page.evaluate(() => window.sockets.at(-1)?.close());
  await expect.poll(() => ada.page.evaluate(() => window.sockets.length)).toBe(2);
  await ada.isConnected();
  await ada.say("Still here");
  await expect(bob.message("Still here")).toBeVisible();
  expect(await bannersOf(ada.page)).toBe(0);
});

test("a crash of the session's actor is not noticed", async ({ person }) => {
  const [ada, bob] = [await person("Ada"), await person("Bob")];
  await talk(ada, bob);
  await countBanners(ada.page);
  const { socket, stillTheOne } = await socketOf(ada.page);
  const resyncs = await socket.evaluateHandle((open) => {
    const heard: string[] = [];
    open.addEventListener("message", (event) => {
      if (JSON.parse(event.data).type === "resync") heard.push(event.data);
    });
    return heard;
  });

  await socket.evaluate((open) => open.send('{"fault":"user"}'));
  await expect.poll(() => resyncs.evaluate((heard) => heard.length)).toBe(1);
  await ada.say("From the one that crashed");
  await expect(bob.message("From the one that crashed")).toBeVisible();
  await bob.say("To the one that crashed");
  await expect(ada.message("To the one that crashed")).toBeVisible();
  await expect(ada.message("From the one")).toHaveAttribute("data-state", "read");

  expect(await stillTheOne()).toBe(true);
  expect(await bannersOf(ada.page)).toBe(0);
  await ada.reads(["Before", "From the one that crashed", "To the one that crashed"]);
  await bob.reads(["Before", "From the one that crashed", "To the one that crashed"]);
});
