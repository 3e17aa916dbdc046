import type { Page } from "@playwright/test";
import { expect, test } from "./fixtures";
import { sendAll } from "./raw";

const MESSAGES = 500;

test("500 messages are paged in without a jump", async ({ person }) => {
  const [ada, bob] = [await person("Ada"), await person("Bob")];
  await ada.talkWith(bob);
  const body = (_: unknown, at: number) =>
    `Message ${at + 1}${"\nand another line".repeat(at % 4)}`;
  await sendAll(ada.page, Array.from({ length: MESSAGES }, body));
  await expect(bob.unread(ada)).toHaveText("99+");
  await bob.conversationRow(ada).click();
  await bob.page.getByTestId("jump-to-latest").click();
  await expect(ada.message(`Message ${MESSAGES}`)).toHaveAttribute("data-state", "read");
  await bob.page.goto("about:blank");
  await bob.page.goto("/");
  await bob.isIn();
  await bob.conversationRow(ada).click();
  await expect(bob.message(`Message ${MESSAGES}`)).toBeVisible();

  const { seen, jumps } = await climb(bob.page);
  expect(jumps).toEqual([]);
  expect(seen).toEqual(Array.from({ length: MESSAGES }, (_, index) => index + 1));
  await expect(bob.page.locator('[data-seq="1"] p')).toHaveText("Message 1");

  await bob.page.getByTestId("jump-to-latest").click();
  await expect(bob.message(`Message ${MESSAGES}`)).toBeVisible();
});

interface Climb {
  /** The numbers of all messages that were on the screen, sorted. */
  seen: number[];
  /** Where a message moved by something else than the scrolling. */
  jumps: string[];
}

/**
 * Scrolls up to the first message, a step at a time. After each step, when what
 * it makes the page load is there and drawn, everything must have moved down by
 * that step and nothing else.
 */
function climb(page: Page): Promise<Climb> {
  return page.evaluate(async () => {
    const STEP = 300;
    const TOLERANCE = 2;
    const list = document.querySelector<HTMLElement>('[role="log"]');
    if (list === null) throw new Error("no list of messages");
    const scroller = list;
    const frame = () => new Promise((drawn) => requestAnimationFrame(drawn));
    const places = () => {
      const { top, bottom } = scroller.getBoundingClientRect();
      const rows = [...scroller.querySelectorAll<HTMLElement>('[data-testid="message"]')];
      return new Map(
        rows
          .map((row) => ({ row, box: row.getBoundingClientRect() }))
          .filter(({ box }) => box.bottom > top && box.top < bottom)
          .map(({ row, box }) => [Number(row.dataset.seq), box.top]),
      );
    };
    /** Until nothing has changed for some frames: pages come, rows are measured. */
    const settled = async () => {
      let before = "";
      for (let still = 0; still < 5; ) {
        await frame();
        const now = JSON.stringify([...places()]);
        still = now === before ? still + 1 : 0;
        before = now;
      }
    };
    await settled();
    const seen = new Set<number>(places().keys());
    const jumps: string[] = [];
    for (let idle = 0; !seen.has(1) && idle < 200; ) {
      const before = places();
      scroller.scrollBy(0, -STEP);
      await settled();
      const after = places();
      const moves = [...after].flatMap(([seq, y]) => {
        const old = before.get(seq);
        return old === undefined ? [] : [{ seq, by: y - old }];
      });
      const by = moves[0]?.by ?? 0;
      for (const move of moves) {
        const together = Math.abs(move.by - by) <= TOLERANCE;
        const scrolled = move.by >= -TOLERANCE && move.by <= STEP + TOLERANCE;
        if (!together || !scrolled) jumps.push(`${move.seq} moved by ${move.by}`);
      }
      if (moves.length === 0) jumps.push(`nothing stayed after ${[...before.keys()]}`);
      idle = moves.some(({ by }) => by > TOLERANCE) ? 0 : idle + 1;
      for (const seq of after.keys()) seen.add(seq);
    }
    return { seen: [...seen].sort((a, b) => a - b), jumps };
  });
}
