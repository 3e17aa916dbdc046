import type { BrowserContext, Page } from "@playwright/test";
import { expect, type Person, test } from "./fixtures";
import { talk } from "./person";

const HOUR_MS = 3_600_000;
/** The server's clock is that of this test; its times are cut to milliseconds. */
const ROUNDING_MS = 1;

test("f22: with clocks an hour off, order and times are the server's", async ({ stranger }) => {
  const begun = Date.now() - ROUNDING_MS;
  const people = [await stranger("Ada"), await stranger("Bob")] as const;
  const [ada, bob] = people;
  await own(ada.context, HOUR_MS);
  await own(bob.context, -HOUR_MS);
  for (const person of people) await person.logIn();
  expect(await ada.page.evaluate(() => Date.now())).toBeGreaterThan(Date.now() + HOUR_MS / 2);
  expect(await bob.page.evaluate(() => Date.now())).toBeLessThan(Date.now() - HOUR_MS / 2);

  await talk(ada, bob);
  const texts = ["Before"];
  for (const [index, writer] of [ada, bob, bob, ada, bob, ada].entries()) {
    const text = `From ${writer.name}, ${index}`;
    texts.push(text);
    await writer.say(text);
    for (const reader of people) await reader.reads(texts);
  }
  // The same after everything was loaded anew, and sent over another connection.
  for (const { page } of people) await page.reload();
  await bob.page.evaluate(() => window.sockets.at(-1)?.close());
  await bob.say("And now?");
  for (const reader of people) await reader.reads([...texts, "And now?"]);
  const [times, others] = await Promise.all(people.map(timesOf));
  expect(times).toEqual(others);
  expect(times).toEqual([...(times ?? [])].sort());
  for (const at of times ?? []) {
    expect(Date.parse(at)).toBeGreaterThan(begun);
    expect(Date.parse(at)).toBeLessThanOrEqual(Date.now());
  }

  // What lasts a while lasts as long as ever.
  await bob.page.getByTestId("composer").pressSequentially("Let me");
  const typing = ada.page.getByTestId("typing-indicator");
  await expect(typing).toBeVisible();
  await expect(typing).toHaveCount(0);
  for (const { page } of people) expect(await page.evaluate(() => window.badDelays)).toEqual([]);
});

test("after a change of the time zone times follow, and no day is headed twice", async ({
  person,
}) => {
  // That of all tests would be in the way of another.
  const ada = await person("Ada", { timezoneId: undefined as never });
  const bob = await person("Bob");
  await talk(ada, bob);
  const devtools = await ada.context.newCDPSession(ada.page);
  await devtools.send("Emulation.setTimezoneOverride", { timezoneId: "Asia/Tokyo" });
  await ada.page.evaluate(() => document.dispatchEvent(new Event("visibilitychange")));
  await bob.say("After");
  await ada.reads(["Before", "After"]);
  const shown = () =>
    ada.page
      .getByTestId("message")
      .locator("time")
      .evaluateAll((times) =>
        times.map((time) => [time.textContent, time.getAttribute("datetime") ?? ""] as const),
      );
  const tokyo = new Intl.DateTimeFormat("en-GB", { timeStyle: "short", timeZone: "Asia/Tokyo" });
  await expect
    .poll(async () => (await shown()).every(([text, at]) => text === tokyo.format(new Date(at))))
    .toBe(true);
  expect(await shown()).toHaveLength(2);
  const days = await ada.page.locator("h2 time").allTextContents();
  expect(new Set(days).size).toBe(days.length);
});

test("f22: what waits while the clock is set back goes out as it was written", async ({
  stranger,
}) => {
  const [ada, bob] = [await stranger("Ada"), await stranger("Bob")];
  await own(ada.context, 0);
  // What she sends is lost for a while, as when nothing can be stored.
  let through = true;
  await ada.context.routeWebSocket(/api\/socket$/, (socket) => {
    const server = socket.connectToServer();
    socket.onMessage((frame) => {
      if (through || JSON.parse(`${frame}`).type !== "send") server.send(frame);
    });
  });
  for (const person of [ada, bob]) await person.logIn();
  await talk(ada, bob);
  through = false;
  const texts: string[] = [];
  for (const offset of [0, -HOUR_MS, -2 * HOUR_MS]) {
    // Each page takes over what the one before has written.
    await ada.page.reload();
    await ada.reads(["Before", ...texts]);
    await setClock(ada.page, offset);
    for (const text of [`One at ${offset}`, `Two at ${offset}`]) {
      texts.push(text);
      await ada.say(text);
    }
    await ada.reads(["Before", ...texts]);
    await setClock(ada.page, offset - HOUR_MS / 2);
    texts.push(`Three at ${offset}`);
    await ada.say(`Three at ${offset}`);
    await ada.reads(["Before", ...texts]);
  }
  through = true;
  await ada.page.reload();
  await bob.reads(["Before", ...texts]);
  await ada.reads(["Before", ...texts]);
});

declare global {
  interface Window {
    /** Waits that were asked for and that no clock can keep. */
    badDelays: unknown[];
  }
}

type Timer = (run: TimerHandler, ms?: number, ...rest: unknown[]) => number;

/** Where a page finds how far its clock is off. */
const OFFSET = "test.clock";

/** Gives the pages of a browser a clock of their own, and notes what they ask timers for. */
async function own(context: BrowserContext, offsetMs: number): Promise<void> {
  await context.addInitScript(
    ([key, first]) => {
      const { Date: TrueDate, setTimeout, setInterval } = window;
      const now = () => TrueDate.now() + Number(localStorage.getItem(key) ?? first);
      window.Date = new Proxy(TrueDate, {
        construct: (target, args) => Reflect.construct(target, args.length === 0 ? [now()] : args),
        get: (target, name) => (name === "now" ? now : Reflect.get(target, name)),
      });
      window.badDelays = [];
      const LONGEST_MS = 2 ** 31 - 1;
      const kept =
        (timer: Timer) =>
        (run: TimerHandler, ms?: number, ...rest: unknown[]) => {
          if (ms !== undefined && !(ms >= 0 && ms <= LONGEST_MS)) window.badDelays.push(ms);
          return timer(run, ms, ...rest);
        };
      Object.assign(window, { setTimeout: kept(setTimeout), setInterval: kept(setInterval) });
    },
    [OFFSET, offsetMs] as const,
  );
}

async function setClock(page: Page, offsetMs: number): Promise<void> {
  await page.evaluate(([key, ms]) => localStorage.setItem(key, `${ms}`), [
    OFFSET,
    offsetMs,
  ] as const);
}

/** When the messages in view were stored, as the page shows it. */
function timesOf({ page }: Person): Promise<string[]> {
  const times = page.getByTestId("message").locator("time");
  return times.evaluateAll((all) => all.map((time) => (time as HTMLTimeElement).dateTime));
}
