import type { Locator, Page } from "@playwright/test";
import { expect, type Person, test } from "./fixtures";
import { sendAll } from "./raw";

const WORDS = " and words that fill a line";
const TALK = Array.from({ length: 60 }, (_, n) => `Message ${n + 1}${WORDS.repeat((n * 7) % 12)}`);
const LAST = TALK.length;

/** From narrow to wide and back, and a phone that is turned. */
const TURNS = [
  { from: { width: 700, height: 720 }, to: { width: 1100, height: 720 } },
  { from: { width: 320, height: 480 }, to: { width: 1100, height: 720 } },
  { from: { width: 360, height: 640 }, to: { width: 640, height: 360 } },
];

const name = ({ width, height }: { width: number; height: number }) => `${width}×${height}`;

/** Bob has a conversation of many lengths in front, at its end. */
async function longTalk(ada: Person, bob: Person): Promise<void> {
  await ada.talkWith(bob);
  await sendAll(ada.page, TALK);
  await bob.conversationRow(ada).click();
  await bob.page.getByTestId("jump-to-latest").click();
  await atEnd(bob.page);
}

/** Scrolls as with a wheel, until everything is drawn. */
async function scroll(page: Page, by: number): Promise<void> {
  await page.getByRole("log").hover();
  await page.mouse.wheel(0, by);
  await distance(page);
}

/** How far the list is from its end, in pixels, once nothing moves any more. */
function distance(page: Page): Promise<number> {
  return page.evaluate(async () => {
    const list = document.querySelector('[role="log"]');
    if (list === null) throw new Error("no list of messages");
    const now = () => Math.round(list.scrollHeight - list.scrollTop - list.clientHeight);
    const frame = () => new Promise((drawn) => requestAnimationFrame(drawn));
    for (let before = now(), still = 0; still < 10; still += 1) {
      await frame();
      if (now() !== before) still = 0;
      before = now();
    }
    return now();
  });
}

async function atEnd(page: Page): Promise<void> {
  await expect(page.locator(`[data-seq="${LAST}"]`)).toBeInViewport({ ratio: 1 });
  expect(await distance(page)).toBeLessThanOrEqual(1);
}

/** The first message that begins in view. */
function first(page: Page): Promise<number> {
  return page.evaluate(() => {
    const list = document.querySelector('[role="log"]');
    if (list === null) throw new Error("no list of messages");
    const { top } = list.getBoundingClientRect();
    const rows = [...list.querySelectorAll<HTMLElement>("[data-seq]")];
    return Number(rows.find((row) => row.getBoundingClientRect().top >= top)?.dataset.seq);
  });
}

/** How far below the top of the list a message begins, in pixels. */
function heightOf(page: Page, seq: number): Promise<number> {
  return page.locator(`[data-seq="${seq}"]`).evaluate((row) => {
    const list = row.closest('[role="log"]');
    if (list === null) throw new Error("no list of messages");
    return row.getBoundingClientRect().top - list.getBoundingClientRect().top;
  });
}

/** Presses a button that unfolds or folds a row; where one edge of it was in each frame. */
async function fold(row: Locator, name: string, edge: "top" | "bottom"): Promise<number[]> {
  const button = row.getByRole("button", { name });
  await button.scrollIntoViewIfNeeded();
  const places = await row.evaluateHandle((element, edge) => {
    const seen: number[] = [];
    const look = () => {
      seen.push(element.getBoundingClientRect()[edge]);
      requestAnimationFrame(look);
    };
    look();
    return seen;
  }, edge);
  await button.click();
  await expect(button).toHaveCount(0);
  await distance(row.page());
  return places.jsonValue();
}

test("the end stays in view when a banner comes and goes", async ({ person, cable }) => {
  const [ada, bob] = [await person("Ada"), await person("Bob", { on: cable })];
  await longTalk(ada, bob);
  await bob.context.setOffline(true);
  cable.cut();
  await expect(bob.page.getByTestId("banner")).toBeVisible();
  await atEnd(bob.page);
  cable.mend();
  await bob.context.setOffline(false);
  await expect(bob.page.getByTestId("banner")).toHaveCount(0);
  await atEnd(bob.page);
});

for (const { from, to } of TURNS) {
  test(`the end stays in view from ${name(from)} to ${name(to)}`, async ({ person }) => {
    const [ada, bob] = [await person("Ada"), await person("Bob")];
    await longTalk(ada, bob);
    for (const size of [from, to, from]) {
      await bob.page.setViewportSize(size);
      await atEnd(bob.page);
    }
  });

  test(`who reads history keeps the place from ${name(from)} to ${name(to)}`, async ({
    person,
  }) => {
    const [ada, bob] = [await person("Ada"), await person("Bob", { viewport: from })];
    await longTalk(ada, bob);
    await scroll(bob.page, -4_000);
    await expect.poll(() => distance(bob.page)).toBeGreaterThan(2_000);
    const seq = await first(bob.page);
    const before = await heightOf(bob.page, seq);
    for (const size of [to, from]) {
      await bob.page.setViewportSize(size);
      await distance(bob.page);
      await expect(bob.page.locator(`[data-seq="${seq}"]`)).toBeInViewport();
      expect(Math.abs((await heightOf(bob.page, seq)) - before)).toBeLessThanOrEqual(2);
    }
  });
}

test("the end stays in view when the text grows", async ({ person }) => {
  const [ada, bob] = [await person("Ada"), await person("Bob")];
  await longTalk(ada, bob);
  for (const size of ["24px", "16px"]) {
    await bob.page.evaluate((fontSize) => {
      document.documentElement.style.fontSize = fontSize;
    }, size);
    await atEnd(bob.page);
  }
});

/** To the end, and up a little from there: a list may take that for going on up. */
const COMINGS = [
  ["at the end", []],
  ["a little above the end", [-30]],
] as const;

for (const [where, scrolls] of COMINGS) {
  test(`a long text ${where} keeps its beginning unfolding, its end folding`, async ({
    person,
  }) => {
    const [ada, bob] = [await person("Ada"), await person("Bob")];
    await longTalk(ada, bob);
    await ada.say(Array.from({ length: 80 }, (_, n) => `Line ${n + 1}`).join("\n"));
    const row = bob.page.locator(`[data-seq="${LAST + 1}"]`);
    await expect(row).toBeInViewport({ ratio: 1 });
    await distance(bob.page);
    for (const by of scrolls) await scroll(bob.page, by);
    const tops = await fold(row, "Show more", "top");
    expect(Math.max(...tops) - Math.min(...tops), "in every frame").toBeLessThanOrEqual(1);
    expect(await distance(bob.page)).toBeGreaterThan(500);
    await bob.page.getByTestId("jump-to-latest").click();
    await expect.poll(() => distance(bob.page)).toBeLessThanOrEqual(1);
    for (const by of scrolls) await scroll(bob.page, by);
    await ada.say("And one that follows");
    await expect(bob.message("And one that follows")).toBeVisible();
    await distance(bob.page);
    const bottoms = await fold(row, "Show less", "bottom");
    expect(Math.abs((bottoms.at(-1) ?? 0) - (bottoms[0] ?? 0))).toBeLessThanOrEqual(1);
    await expect(row).toBeInViewport({ ratio: 1 });
  });
}

test("what one writes while reading history is brought into view", async ({ person }) => {
  const [ada, bob] = [await person("Ada"), await person("Bob")];
  await longTalk(ada, bob);
  await scroll(bob.page, -4_000);
  await expect.poll(() => distance(bob.page)).toBeGreaterThan(2_000);
  // The field grows with it, and shrinks when it is sent.
  await bob.say("Many\nlines\nof\nmy\nown");
  await expect(bob.page.locator(`[data-seq="${LAST + 1}"]`)).toBeInViewport({ ratio: 1 });
  await expect.poll(() => distance(bob.page)).toBeLessThanOrEqual(1);
});
