import data from "emojibase-data/en/data.json" with { type: "json" };
import { expect, test } from "vitest";
import { isFewEmoji } from "./emoji";

test.each([
  "😀",
  "😀😀😀",
  " 👩‍👩‍👧‍👦 🏴󠁧󠁢󠁷󠁬󠁳󠁿\n👍🏽 ",
  "❤️",
  "❤",
  "☺",
  "👍\ufe0f",
  "❤\u200d🔥",
  "1️⃣",
  "#\u20e3",
  "🇩🇪🇦🇹🇨🇭",
  "\u{1faea}",
])("%s is few emoji", (text) => {
  expect(isFewEmoji(text)).toBe(true);
});

test.each([
  "",
  " ",
  "😀😀😀😀",
  "©",
  "™",
  "1\ufe0f",
  "🇩",
  "→",
  "😀 ok",
  "1",
  "#",
  "🏽x",
  "\ud83d",
  `${"👩‍👩‍👧‍👦".repeat(10)}`,
])("%j is not", (text) => {
  expect(isFewEmoji(text)).toBe(false);
});

test("every emoji that can be picked is one, in every tone", () => {
  const shown = data.filter(({ group }) => group !== undefined && group !== 2);
  const all = shown.flatMap(({ emoji, skins = [] }) => [emoji, ...skins.map((skin) => skin.emoji)]);
  expect(all.length).toBeGreaterThan(3_000);
  expect(all.filter((emoji) => !isFewEmoji(emoji))).toEqual([]);
});
