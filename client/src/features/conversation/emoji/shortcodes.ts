/** An emoji with its shortcodes, the names that people type for it. */
export interface EmojiWithCodes {
  readonly emoji: string;
  readonly label: string;
  /** Such as `smile`; the first is the usual one. */
  readonly codes: readonly string[];
  /** In lower case: the words of its label, and further ones to find it by. */
  readonly words: readonly string[];
  /** Whether it comes in skin tones. */
  readonly toned: boolean;
}

/** A shortcode that is being typed, as in `:smi`. */
export interface TypedShortcode {
  /** The index of its colon. */
  readonly from: number;
  readonly word: string;
  /** Whether the closing colon has been typed. */
  readonly closed: boolean;
}

/** A shortcode begins a word: not the minutes of 10:30, nor the end of an address. `+1` and `-1` are shortcodes. */
const TYPED = /(?:^|[\s([{"'“‘«])(:((?:[\p{L}+][\p{L}\p{M}\p{N}_+-]*|-1))?)$/u;
const CLOSED = /(?:^|[\s([{"'“‘«])(:([\p{L}\p{N}_+-]+):)$/u;
/** With fewer letters, the colon more likely begins an emoticon. */
const LETTERS_MIN = 2;

/** The shortcode before the caret; `null` if there is none, or no caret (-1). */
export function typedShortcode(text: string, caret: number): TypedShortcode | null {
  if (caret < 0) return null;
  const before = text.slice(0, caret);
  const match = CLOSED.exec(before) ?? TYPED.exec(before);
  const [, code = "", word = ""] = match ?? [];
  const closed = code.length > 1 && code.endsWith(":");
  if (word.length < LETTERS_MIN || isInCode(before)) return null;
  return { from: caret - code.length, word: word.toLowerCase(), closed };
}

/** Whether a text ends inside code that is not closed yet. */
function isInCode(before: string): boolean {
  const rest = before.replace(/```[\s\S]*?```/g, "").replace(/`[^`\n]+`/g, "");
  return rest.includes("```") || /`[^\n]*$/.test(rest);
}

/** The emoji with exactly this shortcode. */
export function emojiOf(all: readonly EmojiWithCodes[], code: string): EmojiWithCodes | undefined {
  return all.find(({ codes }) => codes.includes(code));
}

/** At most `count` emoji that match the beginning of a word, the best first. */
export function emojiLike(
  all: readonly EmojiWithCodes[],
  word: string,
  count: number,
): EmojiWithCodes[] {
  return (
    all
      .map((coded) => ({ coded, fit: fitOf(coded, word) }))
      .filter(({ fit }) => fit < NONE)
      // Of equal matches, the one with the shortest shortcode: `heart` before `heart_eyes`.
      .sort((a, b) => a.fit - b.fit || usual(a.coded).length - usual(b.coded).length)
      .slice(0, count)
      .map(({ coded }) => coded)
  );
}

const usual = ({ codes: [first = ""] }: EmojiWithCodes) => first;

const NONE = 4;

/** 0: the shortcode itself; 1: its beginning; 2: the beginning of a part of it; 3: another word. */
function fitOf({ codes, words }: EmojiWithCodes, word: string): number {
  if (codes.includes(word)) return 0;
  if (codes.some((code) => code.startsWith(word))) return 1;
  if (codes.some((code) => code.includes(`_${word}`))) return 2;
  return words.some((other) => other.startsWith(word)) ? 3 : NONE;
}
