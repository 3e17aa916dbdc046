/**
 * Letters that Unicode does not decompose, though people type them without their
 * stroke, or as two. The server has the same table (`domain/search.rs`).
 */
const PLAIN: ReadonlyMap<string, string> = new Map([
  ["ß", "ss"],
  ["ς", "σ"],
  ["æ", "ae"],
  ["œ", "oe"],
  ["þ", "th"],
  ["ð", "d"],
  ["đ", "d"],
  ["ħ", "h"],
  ["ı", "i"],
  ["ɨ", "i"],
  ["ĸ", "k"],
  ["ł", "l"],
  ["ŋ", "n"],
  ["ø", "o"],
  ["ŧ", "t"],
  ["ƀ", "b"],
  ["ǥ", "g"],
  ["ɍ", "r"],
  ["ƶ", "z"],
]);

const LETTERS = new RegExp(`[${[...PLAIN.keys()].join("")}]`, "gu");

/** Marks that are accents, and joiners. Vowel signs, as those of Hindi, are letters. */
const ACCENTS =
  /[[\p{M}&&[\p{sc=Inherited}\p{sc=Hebrew}\p{sc=Arabic}\p{sc=Syriac}\p{sc=Cyrillic}]]\u200c\u200d]/gv;

/** Folds a text for searching: case, accents and forms of letters make no difference. */
export function folded(text: string): string {
  return text
    .normalize("NFKD")
    .toLowerCase()
    .normalize("NFKD")
    .replace(ACCENTS, "")
    .replace(LETTERS, (letter) => PLAIN.get(letter) ?? letter)
    .trim();
}

/** The rests of a folded text that begin with each of its words. */
export function fromEachWord(text: string): string[] {
  return [...text.matchAll(/[\p{L}\p{N}\p{M}]+/gu)].map((word) => text.slice(word.index));
}

/** How well a name matches: 0 begins with the search, 1 has a word that does, 2 contains it. */
export type Fit = 0 | 1 | 2;

/** How well a name matches; `null` if it does not. Case, accents and forms of letters make no difference. */
export function fitOf(name: string, search: string): Fit | null {
  const [there, wanted] = [folded(name), folded(search)];
  const place = there.indexOf(wanted);
  if (place <= 0) return place === 0 ? 0 : null;
  return fromEachWord(there).some((words) => words.startsWith(wanted)) ? 1 : 2;
}
