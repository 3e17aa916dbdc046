import { describe, expect, test } from "vitest";
import { type EmojiWithCodes, emojiLike, emojiOf, typedShortcode } from "./shortcodes";

describe("the name of an emoji is", () => {
  test.each([
    [":smi", "smi"],
    ["Hello :smile", "smile"],
    ["(:heart", "heart"],
    ["one\n:fa", "fa"],
    ["`code` :fa", "fa"],
    [":+1", "+1"],
    [":-1", "-1"],
    [":grüß", "grüß"],
  ])("in %j: %j", (text, word) => {
    const from = text.lastIndexOf(":");
    expect(typedShortcode(text, text.length)).toEqual({ from, word, closed: false });
  });

  test.each([
    [":tada:", "tada"],
    ["It is :100:", "100"],
    [":+1:", "+1"],
  ])("in %j: %j, complete", (text, word) => {
    const from = text.length - word.length - 2;
    expect(typedShortcode(text, text.length)).toEqual({ from, word, closed: true });
  });

  test.each([
    "10:30",
    "at 10:30:",
    "at :30",
    "https://example.org",
    "std::vec",
    "std::vec:",
    "a:smile",
    ":D",
    ":p",
    ":)",
    ": smile",
    ":sm ile",
    "`:smile",
    "```\nkey :smile",
    "```\nkey\n\n:smile:",
    "::",
    ":",
  ])("not in %j", (text) => {
    expect(typedShortcode(text, text.length)).toBeNull();
  });

  test("what is before the caret", () => {
    expect(typedShortcode(":smile and more", 4)).toEqual({ from: 0, word: "smi", closed: false });
    expect(typedShortcode(":smile and more", 10)).toBeNull();
  });
});

describe("emoji are found", () => {
  const coded = (emoji: string, codes: string[], words: string[] = []): EmojiWithCodes => ({
    emoji,
    label: codes[0] ?? "",
    codes,
    words,
    toned: false,
  });
  const all = [
    coded("😀", ["grinning"], ["grinning", "face", "smile"]),
    coded("😸", ["smile_cat"], ["cat"]),
    coded("😄", ["smile"]),
    coded("🐈", ["cat"]),
    coded("👍", ["+1", "thumbsup"]),
  ];
  const like = (word: string, count = 9) => emojiLike(all, word, count).map(({ emoji }) => emoji);

  test("by their name, its beginning, its parts, and other words, in this order", () => {
    expect(like("smile")).toEqual(["😄", "😸", "😀"]);
    expect(like("cat")).toEqual(["🐈", "😸"]);
    expect(like("sm", 2)).toEqual(["😄", "😸"]);
    expect(like("xyz")).toEqual([]);
  });

  test("exactly, by each of their names", () => {
    expect(emojiOf(all, "thumbsup")?.emoji).toBe("👍");
    expect(emojiOf(all, "+1")?.emoji).toBe("👍");
    expect(emojiOf(all, "smi")).toBeUndefined();
  });
});
