import { expect, test } from "./fixtures";
import { paste, talk } from "./person";
import { sendAll } from "./raw";
import { workOf } from "./work";

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

/**
 * The most that the page's own thread may work for a message or a text that is pasted (measured:
 * 40 to 230), and for a key (20), in milliseconds of the processor: by the clock, a machine that
 * is busy with other things is slow at everything.
 */
const WORK_MS = 700;
const KEY_MS = 150;

test("b21: marks and lines without end are clipped, and the page keeps up", async ({ person }) => {
  const [ada, bob] = [await person("Ada"), await person("Bob")];
  await talk(ada, bob);
  const neighbour = bob.message("Before").getByTestId("body");
  const row = bob.conversationRow(ada);
  const [clean, box] = [await neighbour.screenshot(), await row.boundingBox()];
  const work = await workOf(bob.page);

  await sendAll(ada.page, [MARKS.slice(0, CHARACTERS)]);
  await expect(bob.page.getByTestId("message")).toHaveCount(2);
  expect(await work()).toBeLessThan(WORK_MS);
  const marks = bob.page.getByTestId("message").last();
  for (const button of ["Show more", "Show less"]) {
    // The buttons of a message that is hovered lie over the one above.
    await bob.page.mouse.move(0, 0);
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
  expect(await work()).toBeLessThan(WORK_MS);
  const lines = bob.page.getByTestId("message").last();
  await lines.getByRole("button", { name: "Show more" }).click();
  await expect.poll(async () => (await lines.boundingBox())?.height).toBeGreaterThan(10 * FOLDED);
  await lines.getByRole("button", { name: "Show less" }).click();
  await expect.poll(async () => (await lines.boundingBox())?.height).toBeLessThan(FOLDED);
  expect(await work(), "unfolding and folding").toBeLessThan(WORK_MS);
  await bob.say("Quite a lot");
  await expect(ada.message("Quite a lot")).toBeVisible();
  const width = await bob.page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  expect(width, "nothing is wider than the page").toBe(0);
});

test("b21: what is pasted without end is cut and not sent, and the page keeps up", async ({
  person,
}) => {
  const ada = await person("Ada", { permissions: ["clipboard-read", "clipboard-write"] });
  const bob = await person("Bob");
  await talk(ada, bob);
  const work = await workOf(ada.page);
  const composer = ada.page.getByTestId("composer");
  const pasteAndKeep = async (text: string, kept: string) => {
    await composer.focus();
    await paste(ada.page, text);
    await expect(composer).toHaveValue(kept);
    expect(await work()).toBeLessThan(WORK_MS);
    await ada.page.keyboard.press("Backspace");
    await expect(composer).toHaveValue(kept.slice(0, -1));
    expect(await work(), "a key").toBeLessThan(KEY_MS);
    expect((await composer.boundingBox())?.height).toBeLessThanOrEqual(FIELD);
  };
  await pasteAndKeep(MARKS, MARKS.slice(0, 1 + PILE));
  await composer.clear();
  for (const text of [LINES, LINES.replaceAll("\n", "\n.")]) {
    await pasteAndKeep(text, text.slice(0, COMPOSER));
    await composer.clear();
  }
  await pasteAndKeep(LINES.replaceAll("\n", "."), LINES.replaceAll("\n", ".").slice(0, COMPOSER));
  await expect(ada.page.getByTestId("send-button")).toBeDisabled();
  await ada.page.keyboard.press("Enter");
  await expect(composer).not.toBeEmpty();
  await ada.say("Rather this");
  await bob.reads(["Before", "Rather this"]);
});
