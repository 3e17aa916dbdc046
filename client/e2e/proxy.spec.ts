import type { BrowserContext } from "@playwright/test";
import { expect, test } from "./fixtures";
import { expectGrowth, recordNumbers } from "./observed";
import { talk } from "./person";

/** So many messages are held back, to let them go in another order. */
const HELD = 3;
/** Fewer of them are held for this long. */
const HELD_MS = 1_000;
/** The frames that give an event its place. */
const PLACED = new Set(["event", "stored"]);

test("f24: frames that come twice and in any order are shown once, in order", async ({
  stranger,
}) => {
  const [ada, bob] = [await stranger("Ada"), await stranger("Bob")];
  const jumbled = [await jumble(ada.context), await jumble(bob.context)];
  for (const person of [ada, bob]) await person.logIn();
  await talk(ada, bob);
  for (const { page } of [ada, bob]) await recordNumbers(page);
  const texts = ["Before"];
  for (let round = 1; round <= 5; round += 1) {
    const said = Array.from({ length: HELD }, (_, index) => `${round}: ${index + 1}`);
    texts.push(...said);
    const writer = round % 2 === 0 ? ada : bob;
    for (const text of said) await writer.say(text);
    for (const reader of [ada, bob]) await reader.reads(texts);
  }
  for (const overtakings of jumbled) expect(overtakings()).toBeGreaterThan(0);
  for (const { page } of [ada, bob]) {
    await expectGrowth(page, 1, texts.length);
    await page.reload();
  }
  for (const reader of [ada, bob]) await reader.reads(texts);
});

/**
 * What the server sends after its `welcome` arrives late and backwards, and
 * then once more. Tells how often messages have overtaken each other.
 */
async function jumble(context: BrowserContext): Promise<() => number> {
  let overtakings = 0;
  await context.routeWebSocket(/api\/socket$/, (socket) => {
    const server = socket.connectToServer();
    const held: string[] = [];
    let timer: NodeJS.Timeout | undefined;
    const messages = () => held.filter((frame) => PLACED.has(JSON.parse(frame).type)).length;
    const letGo = () => {
      clearTimeout(timer);
      overtakings += Math.max(0, messages() - 1);
      const frames = held.splice(0);
      for (const frame of [...backwards(frames), ...frames]) socket.send(frame);
    };
    server.onMessage((message) => {
      const frame = `${message}`;
      if (JSON.parse(frame).type === "welcome") return socket.send(frame);
      if (held.length === 0) timer = setTimeout(letGo, HELD_MS);
      held.push(frame);
      if (messages() === HELD) letGo();
    });
  });
  return () => overtakings;
}

/**
 * Differences of who is here keep their order among themselves: each says what
 * has changed, and a later version makes an earlier one old.
 */
function backwards(frames: readonly string[]): string[] {
  const isDiff = (frame: string) => JSON.parse(frame).type === "presence_diff";
  const diffs = frames.filter(isDiff);
  return frames.toReversed().map((frame) => (isDiff(frame) ? (diffs.shift() ?? frame) : frame));
}
