import { LETTER } from "./letters";
import { linkify } from "./links";

/** A piece of a line: the kinds are all that a message can be drawn with. */
export type Inline =
  | { readonly kind: "text" | "code"; readonly text: string }
  | { readonly kind: "link"; readonly text: string; readonly href: string }
  | { readonly kind: Emphasis; readonly content: readonly Inline[] };

export type Emphasis = "bold" | "italic" | "struck";

/** At most this many marks are open at once; deeper ones stay text. */
const DEPTH_MAX = 16;

/** Next to one of these, a mark is inside a word. */
const WORD = new RegExp(LETTER, "v");
/** The same for `_`, which is a part of many a name: only where no spaces separate words it is none. */
const NAME =
  /[[\p{L}\p{N}\p{M}]--[\p{scx=Han}\p{scx=Hira}\p{scx=Kana}\p{scx=Bopo}\p{sc=Thai}\p{sc=Laoo}\p{sc=Khmr}\p{sc=Mymr}]]/v;

/** What the marks of a text say; see `format.ts` for the rules. */
export function inlineOf(text: string): readonly Inline[] {
  const pieces: Inline[] = [];
  for (const [index, line] of text.split("\n").entries()) {
    if (index > 0) append(pieces, { kind: "text", text: "\n" });
    for (const piece of lineOf(line)) append(pieces, piece);
  }
  return pieces;
}

function lineOf(line: string): readonly Inline[] {
  const nest = new Nest();
  for (const { kind, text, at } of codeAndRest(line)) {
    if (kind === "code") nest.add({ kind, text });
    else readMarks(nest, line, at, text);
  }
  return nest.end();
}

interface Part {
  readonly kind: "text" | "code";
  readonly text: string;
  /** Where it begins in the line. */
  readonly at: number;
}

/** Splits a line at code. Backticks that match nothing are text. */
function codeAndRest(line: string): Part[] {
  if (!line.includes("`")) return [{ kind: "text", text: line, at: 0 }];
  const runs = [...line.matchAll(/`+/g)];
  const next = nextOfSameLength(runs.map(([run]) => run.length));
  const parts: Part[] = [];
  let at = 0;
  for (let index = 0; index < runs.length; index += 1) {
    const closing = next[index];
    const [opens, closes] = [runs[index], runs[closing ?? -1]];
    if (closing === undefined || opens === undefined || closes === undefined) continue;
    parts.push({ kind: "text", text: line.slice(at, opens.index), at });
    const begin = opens.index + opens[0].length;
    parts.push({ kind: "code", text: unpadded(line.slice(begin, closes.index)), at: begin });
    at = closes.index + closes[0].length;
    index = closing;
  }
  parts.push({ kind: "text", text: line.slice(at), at });
  return parts;
}

/** For each of the lengths, the place of the next one that is the same. */
function nextOfSameLength(lengths: readonly number[]): (number | undefined)[] {
  const seen = new Map<number, number>();
  const next: (number | undefined)[] = new Array(lengths.length);
  for (let index = lengths.length - 1; index >= 0; index -= 1) {
    const length = lengths[index] ?? 0;
    next[index] = seen.get(length);
    seen.set(length, index);
  }
  return next;
}

/** A space on either side keeps a backtick of the code from those around it, and is not shown. */
function unpadded(code: string): string {
  const padded = code.startsWith(" ") && code.endsWith(" ") && code.trim() !== "";
  return padded ? code.slice(1, -1) : code;
}

/** Reads a part of a line that begins at `from`; what is beside a mark decides about it. */
function readMarks(nest: Nest, line: string, from: number, part: string): void {
  let at = from;
  for (const { text, href } of linkify(part)) {
    if (href !== undefined) nest.add({ kind: "link", text, href });
    else readPlain(nest, line, at, text);
    at += text.length;
  }
}

function readPlain(nest: Nest, line: string, from: number, part: string): void {
  let read = 0;
  for (const { 0: run, index } of part.matchAll(/\*+|_+|~+/g)) {
    nest.add({ kind: "text", text: part.slice(read, index) });
    read = index + run.length;
    const before = lastCharacter(line.slice(Math.max(0, from + index - 2), from + index));
    const after = String.fromCodePoint(line.codePointAt(from + read) ?? 0x20);
    const word = run === "_" ? NAME : WORD;
    if (isMark(run)) nest.mark(run, mayOpen(word, before, after), mayOpen(word, after, before));
    else nest.add({ kind: "text", text: run });
  }
  nest.add({ kind: "text", text: part.slice(read) });
}

function lastCharacter(text: string): string {
  return [...text].at(-1) ?? " ";
}

/** Longer runs are drawings, and `__init__` is a name. */
function isMark(run: string): boolean {
  return run === "_" || run === "~~" || (run.startsWith("*") && run.length <= 3);
}

function mayOpen(word: RegExp, outside: string, inside: string): boolean {
  return !word.test(outside) && inside.trim() !== "";
}

/** A mark that is open, and what has come after it. */
interface Open {
  readonly sign: string;
  /** How many signs of it wait for their counterparts. */
  left: number;
  content: Inline[];
}

/** Puts what stands between marks into one another. */
class Nest {
  private readonly result: Inline[] = [];
  private readonly open: Open[] = [];

  add(piece: Inline): void {
    append(this.open.at(-1)?.content ?? this.result, piece);
  }

  mark(run: string, opens: boolean, closes: boolean): void {
    const sign = run.charAt(0);
    let left = run.length;
    if (closes) left -= this.close(sign, left);
    if (left === run.length && opens && this.open.length < DEPTH_MAX) {
      this.open.push({ sign, left, content: [] });
    } else {
      this.add({ kind: "text", text: sign.repeat(left) });
    }
  }

  end(): readonly Inline[] {
    this.leave(0);
    return this.result;
  }

  /** Closes the open marks that match, innermost first. Returns how many characters that used. */
  private close(sign: string, length: number): number {
    let left = length;
    while (left > 0) {
      const index = this.open.findLastIndex((mark) => mark.sign === sign && match(mark.left, left));
      const mark = this.open[index];
      if (mark === undefined) break;
      this.leave(index + 1);
      const taken = Math.min(mark.left, left, 2);
      left -= taken;
      mark.left -= taken;
      mark.content = [{ kind: emphasisOf(sign, taken), content: mark.content }];
      if (mark.left === 0) this.leave(index);
    }
    return length - left;
  }

  /** Marks still open from there on become text. */
  private leave(index: number): void {
    for (const { sign, left, content } of this.open.splice(index)) {
      this.add({ kind: "text", text: sign.repeat(left) });
      for (const piece of content) this.add(piece);
    }
  }
}

/** Three signs are one and two; one and two do not go together. */
function match(opening: number, closing: number): boolean {
  return opening === closing || opening === 3 || closing === 3;
}

function emphasisOf(sign: string, length: number): Emphasis {
  if (sign === "~") return "struck";
  return length === 2 ? "bold" : "italic";
}

/** Adds a piece; texts that touch become one. */
function append(pieces: Inline[], piece: Inline): void {
  const last = pieces.at(-1);
  if (piece.kind !== "text") pieces.push(piece);
  else if (piece.text === "") return;
  else if (last?.kind !== "text") pieces.push(piece);
  else pieces[pieces.length - 1] = { kind: "text", text: last.text + piece.text };
}
