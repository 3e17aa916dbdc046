/** Marks on one letter beyond which no text is cut short (Stream-Safe Text, UAX #15, section 13). */
const MARKS_MAX = 30;

const PILES = new RegExp(`(\\p{M}{${MARKS_MAX}})\\p{M}+`, "gu");

/** Takes away what is piled up on letters: browsers take seconds to edit there. */
export function withoutPiles(text: string): string {
  return text.replace(PILES, "$1");
}

/** What the server can store: no half characters, no U+0000, no blank end. */
export function storable(text: string): string {
  return text.toWellFormed().replaceAll("\0", "").trimEnd();
}
