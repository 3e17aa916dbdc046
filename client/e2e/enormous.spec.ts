import type { JSHandle, Page } from "@playwright/test";
import { expect, test } from "./fixtures";
import { talk } from "./person";
import { sendAll } from "./raw";

/** The most that the protocol lets through, and what the composer takes before it cuts. */
const CHARACTERS = 4_000;
const COMPOSER = 2 * CHARACTERS;

/** Marks that pile up on one letter, and lines with nothing in them. */
const MARKS = `e${"\u0301".repeat(10_000)}`;
const LINES = `x${"\n".repeat(100_000)}y`;

/** So many marks the composer leaves on one letter. */
const PILE = 30;

/** Pixels: what a folded message and the composer may take. */
const FOLDED = 400;
const FIELD = 160;

/** The longest that the page may draw nothing. On two cores that others use, too, it took 0.4 s. */
const STILL_MS = 2_000;

test("b21: marks and lines without end are clipped, and the page keeps up", async ({ person }) => {
  const [ada, bob] = [await person("Ada"), await person("Bob")];
  await talk(ada, bob);
  const neighbour = bob.message("Before").locator("p");
  const row = bob.conversationRow(ada);
  const [clean, box] = [await neighbour.screenshot(), await row.boundingBox()];
  const stillness = await watchFrames(bob.page);

  await sendAll(ada.page, [MARKS.slice(0, CHARACTERS)]);
  await expect(bob.page.getByTestId("message")).toHaveCount(2);
  const marks = bob.page.getByTestId("message").last();
  for (const button of ["Show all", "Show less"]) {
    expect(await neighbour.screenshot(), "nothing reaches into the message above").toEqual(clean);
    await marks.getByRole("button", { name: button }).click();
  }
  expect(await row.boundingBox()).toEqual(box);

  await sendAll(ada.page, [`${LINES.slice(0, CHARACTERS - 1)}y`]);
  await expect(bob.page.getByTestId("message")).toHaveCount(3);
  for (const message of await bob.page.getByTestId("message").all()) {
    expect((await message.boundingBox())?.height).toBeLessThan(FOLDED);
  }
  expect(await row.boundingBox()).toEqual(box);
  const lines = bob.page.getByTestId("message").last();
  await lines.getByRole("button", { name: "Show all" }).click();
  await expect.poll(async () => (await lines.boundingBox())?.height).toBeGreaterThan(10 * FOLDED);
  await lines.getByRole("button", { name: "Show less" }).click();
  await expect.poll(async () => (await lines.boundingBox())?.height).toBeLessThan(FOLDED);
  await bob.say("Quite a lot");
  await expect(ada.message("Quite a lot")).toBeVisible();
  const width = await bob.page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  expect(width, "nothing is wider than the page").toBe(0);
  expect(await stillness.evaluate((seen) => seen.longest)).toBeLessThan(STILL_MS);
});

test("b21: what is pasted without end is cut and not sent, and the page keeps up", async ({
  person,
}) => {
  const ada = await person("Ada", { permissions: ["clipboard-read", "clipboard-write"] });
  const bob = await person("Bob");
  await talk(ada, bob);
  const stillness = await watchFrames(ada.page);
  const composer = ada.page.getByTestId("composer");
  const paste = async (text: string, kept: string) => {
    await ada.page.evaluate((copied) => navigator.clipboard.writeText(copied), text);
    await composer.focus();
    await ada.page.keyboard.press("ControlOrMeta+V");
    await expect(composer).toHaveValue(kept);
    await ada.page.keyboard.press("Backspace");
    await expect(composer).toHaveValue(kept.slice(0, -1));
    expect((await composer.boundingBox())?.height).toBeLessThanOrEqual(FIELD);
  };
  await paste(MARKS, MARKS.slice(0, 1 + PILE));
  await composer.clear();
  for (const text of [LINES, LINES.replaceAll("\n", "\n.")]) {
    await paste(text, text.slice(0, COMPOSER));
    await composer.clear();
  }
  await paste(LINES.replaceAll("\n", "."), LINES.replaceAll("\n", ".").slice(0, COMPOSER));
  await expect(ada.page.getByTestId("send-button")).toBeDisabled();
  await ada.page.keyboard.press("Enter");
  await expect(composer).not.toBeEmpty();
  await ada.say("Rather this");
  await bob.reads(["Before", "Rather this"]);
  expect(await stillness.evaluate((seen) => seen.longest)).toBeLessThan(STILL_MS);
});

/** Notes the longest time between two frames of a page. */
function watchFrames(page: Page): Promise<JSHandle<{ longest: number }>> {
  return page.evaluateHandle(() => {
    const seen = { longest: 0 };
    let last = performance.now();
    const frame = (now: number) => {
      seen.longest = Math.max(seen.longest, now - last);
      last = now;
      requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
    return seen;
  });
}
