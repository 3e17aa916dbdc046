import fc from "fast-check";
import { expect, test } from "vitest";
import { linkify } from "./links";

const links = (text: string) => linkify(text).flatMap((piece) => piece.href ?? []);

test("web and mail addresses become links, the rest stays text", () => {
  expect(linkify("see https://example.org/a?b=c. Or (http://example.com)!")).toEqual([
    { text: "see " },
    { text: "https://example.org/a?b=c", href: "https://example.org/a?b=c" },
    { text: ". Or (" },
    { text: "http://example.com", href: "http://example.com/" },
    { text: ")!" },
  ]);
  expect(links("mailto:ada@example.org")).toEqual(["mailto:ada@example.org"]);
});

test.each([
  "javascript:alert(1)",
  "data:text/html,<script>alert(1)</script>",
  "vbscript:x",
  "file:///etc/passwd",
  "xhttp://a",
  "https://",
  "mailto:",
  "www.",
  "www.example",
  "awww.example.org",
  "ada@",
  "ada@example",
  "ada@example.1",
  "@example.org",
  "git@github.com:ada/repository.git",
])("%s is only text", (text) => {
  expect(links(text)).toEqual([]);
  expect(linkify(text)).toEqual([{ text }]);
});

test.each([
  ["Chinese comma", "见 https://chat.example/pull/45，谢谢", "https://chat.example/pull/45"],
  ["Japanese full stop", "https://chat.example/a。次の文", "https://chat.example/a"],
  ["half-width full stop", "https://chat.example/a｡次の文", "https://chat.example/a"],
  ["enumeration comma", "https://chat.example/d、続き", "https://chat.example/d"],
  ["wide brackets", "詳細（https://chat.example/b）です", "https://chat.example/b"],
  ["brackets of ASCII", "詳細(https://chat.example/b)です", "https://chat.example/b"],
  ["corner brackets", "「https://chat.example/c」", "https://chat.example/c"],
  ["lenticular brackets", "【https://chat.example/c】", "https://chat.example/c"],
  ["guillemets", "«https://chat.example/c»", "https://chat.example/c"],
  ["low quotes", "„https://chat.example/c“", "https://chat.example/c"],
  ["wide exclamation mark", "https://chat.example/e！", "https://chat.example/e"],
  ["wide tilde", "https://chat.example/e～", "https://chat.example/e"],
  ["dash", "https://chat.example/e—or", "https://chat.example/e"],
  ["ellipsis", "https://chat.example/e…", "https://chat.example/e"],
  ["Arabic comma", "https://chat.example/f، ثم", "https://chat.example/f"],
  ["Arabic question mark", "https://chat.example/g؟", "https://chat.example/g"],
  ["danda", "https://chat.example/h। अगला", "https://chat.example/h"],
  ["zero width space", "https://wiki.example/x\u200bnext", "https://wiki.example/x"],
  ["no-break space", "https://wiki.example/x\u00a0next", "https://wiki.example/x"],
  ["byte order mark", "https://wiki.example/x\ufeff", "https://wiki.example/x"],
  ["soft hyphen", "https://wiki.example/x\u00ady", "https://wiki.example/x"],
  ["right-to-left override", "https://wiki.example/\u202efdp.exe", "https://wiki.example/"],
  ["isolate", "https://wiki.example/\u2067fdp.exe", "https://wiki.example/"],
  ["right-to-left mark", "https://wiki.example/\u200fx", "https://wiki.example/"],
  ["apostrophes around", "'https://wiki.example/x', ''", "https://wiki.example/x"],
  ["a list of quoted ones", "['https://wiki.example/x','y']", "https://wiki.example/x"],
  ["a bracket too many", "(https://wiki.example/A_(b))", "https://wiki.example/A_(b)"],
  ["square brackets", "[https://wiki.example/x]", "https://wiki.example/x"],
  ["a particle on the host", "https://chat.example에서 봐요", "https://chat.example/"],
  ["a particle on the port", "https://chat.example:8080에서", "https://chat.example:8080/"],
  ["a backslash", "https://chat.example\\@other.example", "https://chat.example/"],
])("%s ends an address", (_, text, address) => {
  expect(links(text)).toEqual([address]);
});

test.each([
  "https://wiki.example/wiki/Newton's_laws",
  "https://wiki.example/wiki/Newton’s_laws",
  "https://wiki.example/wiki/A_(b)_c",
  "https://wiki.example/wiki/Michelson–Morley",
  "https://ja.wiki.example/wiki/日本語",
  "https://ja.wiki.example/wiki/ジョン・レノン",
  "https://fa.wiki.example/wiki/می\u200cخواهم",
  "https://hi.wiki.example/wiki/हिन्दी",
  "https://ca.wiki.example/wiki/Col·lecció",
  "https://bücher.example/ä?ö=ü#ß",
  "https://例え.example/",
  "https://example.org/🍕/👩🏽",
  "http://localhost:8080/a,b;c=d!e*f",
  "http://[::1]:8080/",
  "https://example.org/?q=a|b&c={d}",
])("%s is one address", (address) => {
  expect(linkify(`${address} `)[0]).toEqual({ text: address, href: new URL(address).href });
});

test.each([
  ["www.example.org", "www.example.org", "https://www.example.org/"],
  ["(www.example.org/a_(b)).", "www.example.org/a_(b)", "https://www.example.org/a_(b)"],
  ["siehe www.bücher.example!", "www.bücher.example", "https://www.xn--bcher-kva.example/"],
  ["www.example.org에서", "www.example.org", "https://www.example.org/"],
  ["ada@example.org", "ada@example.org", "mailto:ada@example.org"],
  ["Ask ada.b+c@mail.example.org.", "ada.b+c@mail.example.org", "mailto:ada.b+c@mail.example.org"],
  ["<ada@example.org>", "ada@example.org", "mailto:ada@example.org"],
  ["'ada@example.org'", "ada@example.org", "mailto:ada@example.org"],
  ["メールはada@example.orgまで", "ada@example.org", "mailto:ada@example.org"],
  ["לada@example.org", "ada@example.org", "mailto:ada@example.org"],
])("in %s, %s leads to %s", (text, shown, href) => {
  expect(linkify(text).filter((piece) => piece.href !== undefined)).toEqual([
    { text: shown, href },
  ]);
});

/** Texts made of what addresses are made of. */
const hostile = fc
  .array(
    fc.constantFrom(
      ..."https://|mailto:|www.|@|a|b.cd|.|-|/|(|)|[|]|'|’|·|。|中|가|\u202e|\u200d| |\ud83d|🍕".split(
        "|",
      ),
    ),
    { maxLength: 60 },
  )
  .map((parts) => parts.join(""));

test("whatever is written, the pieces are the text, and lead nowhere else", () => {
  fc.assert(
    fc.property(fc.oneof(hostile, fc.string({ unit: "binary" })), (text) => {
      const pieces = linkify(text);
      expect(pieces.map((piece) => piece.text).join("")).toBe(text);
      for (const piece of pieces) {
        expect(piece.text).not.toBe("");
        if (piece.href === undefined) continue;
        expect(piece.href).toMatch(/^(?:https?|mailto):/);
        // No spaces, and nothing that is not seen or turns what is.
        expect(piece.text).not.toMatch(/[\s\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/u);
      }
    }),
    { numRuns: 2_000 },
  );
});

test("markup ends an address", () => {
  expect(links('<a href="https://example.org/" onclick="x">')).toEqual(["https://example.org/"]);
});

test("the pieces are the text", () => {
  const text = "a https://x.org/(b)) c\n\nhttps://y.org,https://z.org";
  expect(
    linkify(text)
      .map((piece) => piece.text)
      .join(""),
  ).toBe(text);
});
