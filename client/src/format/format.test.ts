import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Block, blocksOf, plainInline, plainOf } from "./format";
import { type Emphasis, type Inline, inlineOf } from "./inline";

/** A short way to write what is expected: `b(x)` for bold, and so on. */
function shown(content: readonly Inline[]): string {
  return content
    .map((piece) => {
      if ("content" in piece) return `${piece.kind.charAt(0)}(${shown(piece.content)})`;
      return piece.kind === "text" ? piece.text : `${piece.kind}(${piece.text})`;
    })
    .join("");
}

describe("within a line", () => {
  test.each([
    ["**bold** and *italic* and _italic_", "b(bold) and i(italic) and i(italic)"],
    ["~~struck~~, **~~both~~**", "s(struck), b(s(both))"],
    ["***both***", "i(b(both))"],
    ["***bold** italic*", "i(b(bold) italic)"],
    ["***italic* bold**", "b(i(italic) bold)"],
    ["**bold *both***", "b(bold i(both))"],
    ["*italic **both***", "i(italic b(both))"],
    ["**a _b ~~c~~ d_ e**", "b(a i(b s(c) d) e)"],
    ["(*a*), “**b**”!", "(i(a)), “b(b)”!"],
    ["*a* *b*", "i(a) i(b)"],
    ["これは**太字**です", "これはb(太字)です"],
    ["*👩‍👩‍👧‍👦*", "i(👩‍👩‍👧‍👦)"],
    ["*مرحبا*", "i(مرحبا)"],
    ["**중요**는 이것", "b(중요)는 이것"],
    ["이것은 **강조**입니다", "이것은 b(강조)입니다"],
    ["*단어*를 ~~취소~~했다", "i(단어)를 s(취소)했다"],
    ["**마크(Mark)**의, **Tidings**는", "b(마크(Mark))의, b(Tidings)는"],
    ["ה**חשוב** וב*ספר*", "הb(חשוב) ובi(ספר)"],
    ["ال**مهم**ة", "الb(مهم)ة"],
    ["**முக்கிய**மான", "b(முக்கிய)மான"],
    ["ของ**สำคัญ**มาก", "ของb(สำคัญ)มาก"],
    ["❤️*a*", "❤️i(a)"],
  ])("%s", (text, expected) => {
    expect(shown(inlineOf(text))).toBe(expected);
  });

  test.each([
    "2*3*4 = 24, 2**3**4",
    "단어_단어_단어",
    "при**став**ка, e\u0301*b*c",
    "snake_case_name, __init__, _private",
    "a * b * c, a ** b",
    "* one\n* two",
    "*not\nover lines*",
    "**never closed, *nor this",
    "** spaces inside ** and * here *",
    "~~~ ~one~ ~~~~",
    "****four**** and *****more*****",
    "*mid*word and un**believ**able",
    "*a**",
    "**a*",
    "`",
    "``a`",
    "😀*b*c",
    "\\*",
  ])("%j stays as it is", (text) => {
    expect(inlineOf(text)).toEqual([{ kind: "text", text }]);
  });

  test.each([
    ["run `cargo test` now", "run code(cargo test) now"],
    ["`**a** _b_ https://x.org`", "code(**a** _b_ https://x.org)"],
    ["``a ` b``", "code(a ` b)"],
    ["`` `a` ``", "code(`a`)"],
    ["` `", "code( )"],
    ["```all in one line```", "code(all in one line)"],
    ["**`a`**", "b(code(a))"],
    ["*a `b* c`", "*a code(b* c)"],
    ["`a` ` `b`", "code(a) code( )b`"],
  ])("code: %s", (text, expected) => {
    expect(shown(inlineOf(text))).toBe(expected);
  });

  test.each([
    ["**https://example.org/a_b_c**", "b(link(https://example.org/a_b_c))"],
    ["_see https://example.org/*a*_", "i(see link(https://example.org/*a)*)"],
    ["https://example.org/`a`", "link(https://example.org/)code(a)"],
    ["[x](javascript:alert(1))", "[x](javascript:alert(1))"],
    ["[x](https://example.org)", "[x](link(https://example.org))"],
    [
      '<img src="https://example.org/" onerror=x>',
      '<img src="link(https://example.org/)" onerror=x>',
    ],
  ])("links: %s", (text, expected) => {
    expect(shown(inlineOf(text))).toBe(expected);
  });
});

describe("blocks", () => {
  const code = (text: string, language = ""): Block => ({ kind: "code", language, code: text });
  const plain = (text: string): Block => ({ kind: "text", content: [{ kind: "text", text }] });

  test.each<[string, Block[]]>([
    ["```\na\n```", [code("a")]],
    ["```Rust\nlet a = `b`;\n\n  **c**\n```", [code("let a = `b`;\n\n  **c**", "rust")]],
    ["before\n```js \na\n``` \nafter", [plain("before"), code("a", "js"), plain("after")]],
    ["```\na```", [code("a")]],
    ["```\n```", [code("")]],
    ["```\na\n```\n```\nb\n```", [code("a"), code("b")]],
    ["```\n\n\n```", [code("\n")]],
    ["```c++\na\n```\n\n\nb", [code("a", "c++"), plain("\n\nb")]],
  ])("%j", (body, blocks) => {
    expect(blocksOf(body)).toEqual(blocks);
  });

  test.each(["```\nnever closed", "```", "text ```\na\n", "```two words\na\n```", " ```\na"])(
    "%j is no block",
    (body) => {
      expect(blocksOf(body)).toEqual([plain(body)]);
    },
  );
});

test("where there is one line only, marks are left out", () => {
  expect(plainOf("**Look**: `a_b` and\n```rust\nlet a;\n```\n_so_ 2*3*4")).toBe(
    "Look: a_b and\nlet a;\nso 2*3*4",
  );
});

/** Texts made of what marks are made of. */
const hostile = fc
  .array(
    fc.constantFrom(
      "*",
      "**",
      "***",
      "_",
      "~~",
      "`",
      "``",
      "```",
      "\n",
      "\n```",
      "a",
      "b c",
      " ",
      "https://x.org/",
      "é",
      "太",
      "😀",
      "\ud83d",
    ),
    { maxLength: 200 },
  )
  .map((parts) => parts.join(""));

const text = fc.oneof(hostile, fc.string({ unit: "binary" }));

const a: Inline = { kind: "text", text: "a" };
const space: Inline = { kind: "text", text: " " };

/** Marked up as people do it: words, marks around words, spaces between. */
const written = fc.letrec<{ piece: Inline; content: readonly Inline[] }>((tie) => ({
  piece: fc.oneof(
    { maxDepth: 4 },
    word("text", /^[a-z]{1,8}$/),
    word("code", /^[a-z*_~]{1,8}$/),
    fc
      .tuple(fc.constantFrom<Emphasis[]>("bold", "italic", "struck"), tie("content"))
      .map(([kind, content]): Inline => ({ kind, content })),
  ),
  content: fc
    .array(tie("piece"), { minLength: 1, maxLength: 3 })
    .map((pieces) => [a, ...pieces.flatMap((piece) => [space, piece]), space, a]),
})).content;

function word(kind: "text" | "code", form: RegExp): fc.Arbitrary<Inline> {
  return fc.stringMatching(form).map((text) => ({ kind, text }));
}

describe("whatever is written", () => {
  test("what is shown is the text with some of its signs left out", () => {
    fc.assert(
      fc.property(text, (body) => {
        const inline = plainInline(inlineOf(body));
        let at = 0;
        for (const sign of body) {
          if (inline.startsWith(sign, at)) at += sign.length;
          else expect("*_~` ").toContain(sign);
        }
        expect(at).toBe(inline.length);
      }),
      { numRuns: 2_000 },
    );
  });

  test("blocks are in it in order, and what is left out is marks and languages", () => {
    fc.assert(
      fc.property(text, (body) => {
        let at = 0;
        for (const block of blocksOf(body)) {
          const shown = block.kind === "code" ? block.code : plainInline(block.content);
          for (const sign of shown) {
            const found = body.indexOf(sign, at);
            expect(found).toBeGreaterThanOrEqual(at);
            at = found + sign.length;
          }
        }
      }),
      { numRuns: 1_000 },
    );
  });

  test("there are only the known kinds of pieces, none empty, no deeper than a bound", () => {
    const depth = (content: readonly Inline[]): number =>
      Math.max(
        0,
        ...content.map((piece) => {
          expect(["text", "code", "link", "bold", "italic", "struck"]).toContain(piece.kind);
          if (piece.kind === "link") expect(piece.href).toMatch(/^(https?|mailto):/);
          if (!("content" in piece)) {
            expect(piece.text).not.toBe("");
            return 0;
          }
          expect(piece.content).not.toEqual([]);
          return 1 + depth(piece.content);
        }),
      );
    fc.assert(
      fc.property(text, (body) => {
        expect(depth(inlineOf(body))).toBeLessThanOrEqual(32);
      }),
      { numRuns: 1_000 },
    );
  });

  test("what is marked up is read as it was meant", () => {
    const signs = { bold: "**", italic: "_", struck: "~~" };
    const source = (content: readonly Inline[]): string =>
      content
        .map((piece) => {
          if (piece.kind === "code") return `\`${piece.text}\``;
          if (!("content" in piece)) return piece.text;
          return signs[piece.kind] + source(piece.content) + signs[piece.kind];
        })
        .join("");
    fc.assert(
      fc.property(written, (content) => {
        expect(shown(inlineOf(source(content)))).toBe(shown(content));
      }),
      { numRuns: 1_000 },
    );
  });
});

describe("time grows with the length", () => {
  const LENGTH = 100_000;
  /** Milliseconds for a text 25 times as long as the longest message (measured: up to 60). */
  const ENOUGH_MS = 1_500;
  const fill = (part: string) => part.repeat(Math.ceil(LENGTH / part.length));

  test.each([
    "*",
    "`",
    "_",
    "~",
    "*a ",
    "*a **b ",
    "a* ",
    "**a* ",
    "***a** ",
    "`a``b```c",
    "` `` ``` ```` ",
    "```\n",
    "```a\nb\n",
    "_a_",
    "*_~~a",
    "https://",
    "mailto:a@b ",
    "https://x.org/****",
    "https://x.org/)",
    "https://",
    "https://x.org/((((",
    "www.",
    "www.a.bc'",
    "a@",
    "a@b.",
    "a@b.cd",
    "a.",
    "中。",
    "太*",
    "a\n",
  ])("%j, over and over", (part) => {
    const start = performance.now();
    blocksOf(fill(part));
    expect(performance.now() - start).toBeLessThan(ENOUGH_MS);
  });

  test("one backtick more each time", () => {
    const runs = Array.from({ length: 440 }, (_, index) => "`".repeat(index + 1)).join("a");
    const start = performance.now();
    blocksOf(runs);
    expect(performance.now() - start).toBeLessThan(ENOUGH_MS);
  });
});
