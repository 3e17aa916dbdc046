/** Hues that differ enough from their neighbours, each in two depths. */
const HUES = 24;
const DEPTHS = [0.48, 0.38];
const CHROMA = 0.11;

const letters = new Intl.Segmenter(undefined, { granularity: "grapheme" });

/**
 * Two letters that stand for a name: the first of its first and last word, or the
 * first two of its only word. A letter is a grapheme.
 */
export function initialsOf(name: string): string {
  const words = name.match(/[\p{L}\p{N}][\p{L}\p{N}\p{M}\u200c\u200d]*/gu) ?? [name];
  const [first = "", second = ""] = lettersOf(words[0] ?? "");
  const last = words.length > 1 ? lettersOf(words.at(-1) ?? "")[0] : undefined;
  return capital(first) + (last === undefined ? second : capital(last));
}

/** The colour of a user, the same for everybody; white is readable on it in light and dark. */
export function colourOf(id: string): string {
  const hash = hashOf(id);
  const hue = (hash % HUES) * (360 / HUES);
  const depth = DEPTHS[Math.floor(hash / HUES) % DEPTHS.length];
  return `oklch(${depth} ${CHROMA} ${hue})`;
}

function lettersOf(word: string): string[] {
  return Array.from(letters.segment(word), ({ segment }) => segment);
}

/** The capital of a letter, if that is one letter: the capital of \u00df is two. */
function capital(letter: string): string {
  const upper = letter.toUpperCase();
  return lettersOf(upper).length === 1 ? upper : letter;
}

/** FNV-1a, with a last step that spreads similar ids. */
function hashOf(text: string): number {
  let hash = 0x81_1c_9d_c5;
  for (const char of text) {
    hash = Math.imul(hash ^ (char.codePointAt(0) ?? 0), 0x01_00_01_93);
  }
  hash ^= hash >>> 15;
  return (Math.imul(hash, 0x2c_1b_3c_6d) ^ (hash >>> 12)) >>> 0;
}
