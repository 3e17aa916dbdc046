/** A piece of a text: plain, or an address to follow. */
export interface Piece {
  readonly text: string;
  readonly href?: string;
}

const CANDIDATE = /\b(?:https?:\/\/|mailto:)[^\s<>"']+/gi;
const SCHEMES: ReadonlySet<string> = new Set(["http:", "https:", "mailto:"]);

/** Splits a text into plain pieces and links; together they are the text. */
export function linkify(text: string): Piece[] {
  const pieces: Piece[] = [];
  let end = 0;
  for (const match of text.matchAll(CANDIDATE)) {
    const address = withoutTail(match[0]);
    const href = hrefOf(address);
    if (href === null) continue;
    if (match.index > end) pieces.push({ text: text.slice(end, match.index) });
    pieces.push({ text: address, href });
    end = match.index + address.length;
  }
  if (end < text.length) pieces.push({ text: text.slice(end) });
  return pieces;
}

/** Punctuation at the end belongs to the sentence, and so does a bracket that was not opened. */
function withoutTail(address: string): string {
  let end = address.length;
  while (end > 0 && isTail(address, end)) end -= 1;
  return address.slice(0, end);
}

function isTail(address: string, end: number): boolean {
  const last = address.charAt(end - 1);
  if (".,;:!?*_~`".includes(last)) return true;
  return last === ")" && !address.slice(0, end).includes("(");
}

function hrefOf(address: string): string | null {
  if (!URL.canParse(address)) return null;
  const url = new URL(address);
  if (!SCHEMES.has(url.protocol)) return null;
  return url.protocol === "mailto:" && !url.pathname.includes("@") ? null : url.href;
}
