/** No real text has more marks on one letter (Stream-Safe Text, UAX #15, section 13). */
const MARKS_MAX = 30;

const PILES = new RegExp(`(\\p{M}{${MARKS_MAX}})\\p{M}+`, "gu");

/** Removes piled-up marks from letters: browsers take seconds to edit such text. */
export function withoutPiledMarks(text: string): string {
  return text.replace(PILES, "$1");
}

/** The text as the server can store it: without lone surrogates, U+0000 and trailing blanks. */
export function storable(text: string): string {
  return text.toWellFormed().replaceAll("\0", "").trimEnd();
}
