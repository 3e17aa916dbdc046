import { createRequire } from "node:module";
import type emojibase from "emojibase-data/en/data.json";
import { expect, test } from "vitest";
import { skinsOf } from "./emoji-data";

const data: typeof emojibase = createRequire(import.meta.url)("emojibase-data/en/data.json");

test("skin tones that are worked out are those of the list", () => {
  const toned = data.filter(({ skins }) => skins !== undefined);
  expect(toned.length).toBeGreaterThan(300);
  for (const { emoji, skins = [] } of toned) {
    const listed = skins.filter(({ tone }) => typeof tone === "number");
    expect(Object.values(skinsOf(emoji)), emoji).toEqual(listed.map((skin) => skin.emoji));
  }
});
