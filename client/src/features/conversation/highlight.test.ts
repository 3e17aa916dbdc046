import { common } from "lowlight";
import { expect, test } from "vitest";
import { highlight, type Token } from "./highlight";

const textOf = (tokens: readonly Token[]): string =>
  tokens.map((token) => (typeof token === "string" ? token : textOf(token.content))).join("");

test("code is divided into parts of known classes, and is the same code", () => {
  const code = 'fn main() { println!("<b>&amp;</b>"); } // end';
  const tokens = highlight(code, "rs");
  expect(textOf(tokens ?? [])).toBe(code);
  expect(tokens).toContainEqual({ className: "hljs-comment", content: ["// end"] });
});

test("of a language that is not known nothing is said", () => {
  for (const name of ["", "klingon", "__proto__", "constructor"]) {
    expect(highlight("let a", name)).toBeNull();
  }
});

/** The longest message. */
const CHARACTERS = 4_000;
/** Milliseconds that the page may stand still for one block (measured: up to 100). */
const ENOUGH_MS = 1_000;

test.each(Object.keys(common))("%s takes its time for no text", (language) => {
  highlight("warm", language);
  for (const part of [
    "a",
    " ",
    "(",
    "{",
    "[[",
    '"',
    "'\\",
    "/*",
    "<a ",
    "<?",
    "//",
    "0",
    "a.",
    "=>",
    "@a(",
    "$(",
    "#",
    "-",
    "*",
    "x y ",
    "\t",
    "\n ",
  ]) {
    const code = part.repeat(Math.ceil(CHARACTERS / part.length));
    const start = performance.now();
    const tokens = highlight(code, language);
    expect(performance.now() - start, part).toBeLessThan(ENOUGH_MS);
    expect(textOf(tokens ?? [])).toBe(code);
  }
});
