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
  "www.example.org",
])("%s is only text", (text) => {
  expect(links(text)).toEqual([]);
  expect(linkify(text)).toEqual([{ text }]);
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
