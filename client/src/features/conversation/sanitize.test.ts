import { expect, test } from "vitest";
import { storable, withoutPiledMarks } from "./sanitize";

test("b21: marks are piled up to a bound, on every letter", () => {
  const piled = (marks: number) => `a${"\u0301\u0316".repeat(marks / 2)}`;
  expect(withoutPiledMarks(piled(10_000) + piled(28) + piled(31 * 2))).toBe(
    piled(30) + piled(28) + piled(30),
  );
});

test.each(["naïve, na\u0308ive, Việt Nam", "نُصُوصٌ مُشَكَّلَةٌ", "བསྒྲུབས་", "👩‍👩‍👧‍👦 ❤️"])(
  "%j is left as it is",
  (text) => {
    expect(withoutPiledMarks(text)).toBe(text);
  },
);

test("b01, b22: what cannot be stored is not sent", () => {
  expect(storable("a\0b \ud800 c \n\n")).toBe("ab \ufffd c");
});
