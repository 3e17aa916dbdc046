import type { Page } from "@playwright/test";
import { expect, type Person, test } from "./fixtures";
import { talk } from "./person";
import { sendAll, sendEach } from "./raw";
import { QUICK_RETURN } from "./server";

const MANY = 300;
const WORDS = " and words that fill a line";

const texts = (count: number) =>
  Array.from({ length: count }, (_, n) => `Message ${n + 1}${WORDS.repeat((n * 7) % 12)}`);

const line = (view: Person, seq: number) => view.page.locator(`[data-seq="${seq}"]`);

interface Place {
  /** The first message that begins in view. */
  readonly seq: number;
  /** How far below the top of the list it begins, in pixels. */
  readonly y: number;
  /** How far the list is from its end, in pixels. */
  readonly fromEnd: number;
}

/** Where the list is, once nothing has moved for some frames. */
function placeOf(page: Page): Promise<Place> {
  return page.evaluate(async () => {
    const now = () => {
      const list = document.querySelector('[role="log"]');
      if (list === null) return { seq: 0, y: 0, fromEnd: 0 };
      const { top } = list.getBoundingClientRect();
      const rows = [...list.querySelectorAll<HTMLElement>("[data-seq]")];
      const row = rows.find((each) => each.getBoundingClientRect().top >= top);
      return {
        seq: Number(row?.dataset.seq),
        y: Math.round((row?.getBoundingClientRect().top ?? 0) - top),
        fromEnd: Math.round(list.scrollHeight - list.scrollTop - list.clientHeight),
      };
    };
    const frame = () => new Promise((drawn) => requestAnimationFrame(drawn));
    let before = now();
    for (let still = 0; still < 15; still += 1) {
      await frame();
      const place = now();
      if (JSON.stringify(place) !== JSON.stringify(before)) still = 0;
      before = place;
    }
    return before;
  });
}

async function isAtEnd(view: Person): Promise<void> {
  await expect(async () => {
    expect((await placeOf(view.page)).fromEnd).toBeLessThanOrEqual(1);
  }).toPass();
}

/** The list is where it was, but for what a pixel is rounded to. */
async function isAt(view: Person, place: Place): Promise<void> {
  await expect(async () => {
    const { seq, y } = await placeOf(view.page);
    expect(seq).toBe(place.seq);
    expect(Math.abs(y - place.y)).toBeLessThanOrEqual(2);
  }).toPass();
}

async function scrollUp(view: Person, by: number): Promise<Place> {
  await view.page.getByRole("log").hover();
  await view.page.mouse.wheel(0, -by);
  await expect.poll(async () => (await placeOf(view.page)).fromEnd).toBeGreaterThan(by / 2);
  return placeOf(view.page);
}

/** Somebody has read everything that the other one wrote, and stands at its end. */
async function readAll(reader: Person, writer: Person, count: number): Promise<void> {
  await writer.talkWith(reader);
  await sendAll(writer.page, texts(count));
  await reader.conversationRow(writer).click();
  await reader.page.getByTestId("jump-to-latest").click();
  await expect(line(reader, count)).toBeInViewport({ ratio: 1 });
  await expect(reader.unread(writer)).toHaveCount(0);
  await isAtEnd(reader);
}

test("every conversation keeps its place while others are in front", async ({ person }) => {
  const [ada, bob, cy] = [await person("Ada"), await person("Bob"), await person("Cy")];
  await readAll(ada, bob, 120);
  const place = await scrollUp(ada, 3_000);
  await readAll(ada, cy, 60);
  for (let round = 0; round < 2; round += 1) {
    await ada.conversationRow(bob).click();
    await expect(line(ada, place.seq)).toBeInViewport();
    await isAt(ada, place);
    await ada.conversationRow(cy).click();
    await expect(line(ada, 60)).toBeInViewport({ ratio: 1 });
    await isAtEnd(ada);
  }
  // What comes meanwhile moves nothing, and is not read.
  await bob.say("One more");
  await expect(ada.unread(bob)).toHaveText("1");
  await ada.conversationRow(bob).click();
  await isAt(ada, place);
  await expect(ada.unread(bob)).toHaveText("1");
  await ada.page.getByTestId("jump-to-latest").click();
  await expect(ada.unread(bob)).toHaveCount(0);
});

test("a jump to a far message leads back to where it began", async ({ person }) => {
  const [ada, bob] = [await person("Ada"), await person("Bob")];
  await readAll(ada, bob, MANY);
  await sendEach(bob.page, [{ kind: "pin", target: 5, on: true }]);
  await ada.page.reload();
  await ada.isIn();
  await expect(line(ada, MANY)).toBeInViewport({ ratio: 1 });
  await isAtEnd(ada);
  const opener = ada.page.getByTestId("pins-open");
  const back = ada.page.getByTestId("jump-back");

  for (const by of [0, 1_500]) {
    const place = by === 0 ? null : await scrollUp(ada, by);
    await opener.click();
    await ada.page.getByTestId("pinned-go").click();
    await expect(line(ada, 5)).toBeInViewport({ ratio: 1 });
    await expect(line(ada, 5)).toBeFocused();
    await back.click();
    await expect(back).toHaveCount(0);
    await (place === null ? isAtEnd(ada) : isAt(ada, place));
  }
  await opener.click();
  await ada.page.getByTestId("pinned-go").click();
  await expect(line(ada, 5)).toBeInViewport({ ratio: 1 });
  await bob.say("At the end meanwhile");
  await expect(ada.unread(bob)).toHaveText("1");
  await ada.say("And an answer");
  await expect(ada.message("And an answer")).toBeInViewport({ ratio: 1 });
  await expect(ada.message("And an answer")).toHaveAttribute("data-state", "read");
  await expect(ada.unread(bob)).toHaveCount(0);
});

test("whoever stands at the end does so after restarts with own messages waiting", async ({
  person,
  ownServer,
}) => {
  const on = await ownServer(QUICK_RETURN);
  const [ada, bob] = [await person("Ada", { on }), await person("Bob", { on })];
  await talk(ada, bob);
  for (let n = 1; n <= 12; n += 1) await bob.say(`Line ${n}${WORDS.repeat(n)}`);
  await expect(ada.message("Line 12 ")).toBeVisible();
  await ada.page.getByTestId("composer").focus();
  for (let round = 1; round <= 3; round += 1) {
    await on.end("SIGKILL");
    for (let n = 1; n <= round; n += 1) await ada.say(`Waiting ${round}.${n}`);
    await bob.say(`Missed ${round}${WORDS.repeat(round * 3)}`);
    await expect(ada.message(`Waiting ${round}.${round}`)).toHaveAttribute("data-state", "pending");
    await on.run();
    await expect(ada.message(`Waiting ${round}.${round}`)).toHaveAttribute("data-state", "read");
    await expect(bob.message(`Missed ${round}`)).toHaveAttribute("data-state", "read");
    await expect(ada.unread(bob)).toHaveCount(0);
    for (const view of [ada, bob]) await isAtEnd(view);
  }
});
