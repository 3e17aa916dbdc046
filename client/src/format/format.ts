import { type Inline, inlineOf } from "./inline";

/**
 * Light formatting: what a message says with marks, as data that is drawn as elements.
 * There is no HTML anywhere on the way, so nothing that is written can become markup.
 *
 * It is a part of Markdown on purpose, and not a library for it: headings, lists, pictures,
 * tables, HTML and links with another text than their address are what a chat does not want,
 * and the smallest parsers that can leave them out weigh more than this page's whole budget
 * has left. The rules, all of which leave what does not match as it was written:
 *
 * - A line of three backticks, with a language behind them or not, begins a block of code.
 *   The next line that ends with three backticks ends it. Nothing inside is formatted.
 * - Within a line, `code` stands between equal runs of backticks; nothing inside is formatted.
 * - Addresses (see `links.ts`) are links; nothing inside is formatted.
 * - Within a line, **bold**, *italic*, ***both***, _italic_ and ~~struck~~ text may stand in
 *   one another. Its first mark is not behind a letter or a digit and not before a space; its
 *   last one the other way round: `2*3*4`, `snake_case` and `a * b` are left alone. Letters of
 *   scripts in which words touch, or have particles written onto them, do not count as letters
 *   here (see `letters.ts`; for `_`, only the former).
 *
 * Time grows with the length of the text, whatever it is: see the tests.
 */
export type Block =
  | { readonly kind: "text"; readonly content: readonly Inline[] }
  | { readonly kind: "code"; readonly language: string; readonly code: string };

const FENCE = "```";
const OPENING = /^```[ \t]*([^\s`]*)[ \t]*$/;

/** The parts of a text from top to bottom. */
export function blocksOf(body: string): readonly Block[] {
  if (!body.includes(FENCE)) return [textBlock(body)];
  const lines = body.split("\n");
  const closings = closingsOf(lines);
  const blocks: Block[] = [];
  let begin = 0;
  let at = 0;
  const endText = () => {
    if (at > begin) blocks.push(textBlock(lines.slice(begin, at).join("\n")));
  };
  while (at < lines.length) {
    const language = OPENING.exec(lines[at] ?? "")?.[1];
    const closing = closings[at + 1];
    if (language === undefined || closing === undefined) {
      at += 1;
      continue;
    }
    endText();
    const code = [...lines.slice(at + 1, closing), withoutFence(lines[closing] ?? "")];
    // A fence on a line of its own ends the line before it.
    if (code.at(-1) === "") code.pop();
    blocks.push({ kind: "code", language: language.toLowerCase(), code: code.join("\n") });
    at = closing + 1;
    begin = at;
  }
  endText();
  return blocks;
}

/** For each line, the first one from there on that would end a block of code. */
function closingsOf(lines: readonly string[]): (number | undefined)[] {
  const closings: (number | undefined)[] = new Array(lines.length);
  let next: number | undefined;
  for (let index = lines.length - 1; index >= 0; index -= 1) {
    if (lines[index]?.trimEnd().endsWith(FENCE)) next = index;
    closings[index] = next;
  }
  return closings;
}

function withoutFence(line: string): string {
  return line.trimEnd().slice(0, -FENCE.length);
}

function textBlock(text: string): Block {
  return { kind: "text", content: inlineOf(text) };
}

/** A text without its marks, for where there is room for one line only. */
export function plainOf(body: string): string {
  return blocksOf(body)
    .map((block) => (block.kind === "code" ? block.code : plainInline(block.content)))
    .join("\n");
}

export function plainInline(content: readonly Inline[]): string {
  return content
    .map((piece) => ("content" in piece ? plainInline(piece.content) : piece.text))
    .join("");
}
