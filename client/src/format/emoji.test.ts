import { expect, test } from "vitest";
import { isFewEmoji } from "./emoji";

test.each(["😀", "😀😀😀", " 👩‍👩‍👧‍👦 🏴󠁧󠁢󠁷󠁬󠁳󠁿\n👍🏽 ", "❤️", "1️⃣", "🇩🇪🇦🇹🇨🇭"])(
  "%s is few emoji",
  (text) => {
    expect(isFewEmoji(text)).toBe(true);
  },
);

test.each(["", " ", "😀😀😀😀", "😀 ok", "1", "#", "🏽x", "\ud83d", `${"👩‍👩‍👧‍👦".repeat(10)}`])(
  "%j is not",
  (text) => {
    expect(isFewEmoji(text)).toBe(false);
  },
);
