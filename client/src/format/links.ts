import { ATTACHED, LETTER } from "./letters";

/** A piece of a text: plain, or an address to follow. */
export interface Piece {
  readonly text: string;
  readonly href?: string;
}

const SCHEMES: ReadonlySet<string> = new Set(["http:", "https:", "mailto:"]);

/** Where an address may begin; that of an e-mail has begun before its sign. */
const BEGINNING = new RegExp(`(?<!${LETTER})(?:https?://|mailto:|www\\.)|@`, "giv");

/** No address is longer, so that time grows with the length of the text only. */
const ADDRESS_MAX = 4_096;

/**
 * As far as an address may go. It holds the signs of ASCII that it needs no escapes for, letters
 * and digits of all scripts, emoji, and what stands inside words: the apostrophe of `Newton's`,
 * the joiner of Persian. Other punctuation and invisible signs end it; those that turn the
 * direction of writing would show another address than the one that it leads to.
 */
const ADDRESS = (() => {
  const sign = "[a-z\\d!#$%&\\(\\)*+,\\-.\\/:;=?@\\[\\]\\^_\\{\\|\\}~]";
  const letter = "[\\p{L}\\p{M}\\p{N}]";
  const foreign = `[${letter}--\\p{ASCII}]`;
  const emoji = "[[\\p{Extended_Pictographic}\\p{Emoji_Modifier}\\p{Regional_Indicator}]--\\p{P}]";
  const inWord = `['\u2019\u00b7\u2010\u2011\u2013](?=${letter})`;
  const inForeignWord = `(?<=${foreign})[\u05f3\u05f4\u0f0b\u200c\u200d\u30fb](?=${foreign})`;
  const any = `${sign}|${letter}|${emoji}|${inWord}|${inForeignWord}`;
  return new RegExp(`(?:${any}){1,${ADDRESS_MAX}}`, "ivy");
})();

/** A host that ends with its domain, and a letter of another script that is written onto it. */
const ONTO_HOST = new RegExp(`^(?:[^\\/?#]*\\.)?[a-z\\d]+(?::\\d+)?(?=${ATTACHED})`, "iv");

/** A domain of two names or more; the last one has letters only. */
const DOMAIN = new RegExp(`${LETTER}[${LETTER}\\-]*(?:\\.[${LETTER}\\-]+)+`, "ivy");
const DOMAIN_END = new RegExp(`\\.(?:[${LETTER}--\\p{N}]{2,}|xn--[a-z\\d\\-]+)$`, "iv");

/** What stands before the sign of an e-mail address, and how much of it there may be. */
const LOCAL = new RegExp(`[${LETTER}.%+\\-_']`, "v");
const LOCAL_MAX = 64;

/** Splits a text into plain pieces and links; together they are the text. */
export function linkify(text: string): Piece[] {
  const pieces: Piece[] = [];
  let end = 0;
  /** Everything before this has been examined, so that time grows only with the length. */
  let seen = 0;
  for (const { 0: beginning, index } of text.matchAll(BEGINNING)) {
    if (index < seen) continue;
    const found = beginning === "@" ? mailAround(text, index, seen) : addressAt(text, index);
    seen = Math.max(seen, found.seen);
    if (found.href === null) continue;
    if (found.from > end) pieces.push({ text: text.slice(end, found.from) });
    end = found.from + found.length;
    pieces.push({ text: text.slice(found.from, end), href: found.href });
  }
  if (end < text.length) pieces.push({ text: text.slice(end) });
  return pieces;
}

interface Found {
  readonly from: number;
  readonly length: number;
  /** `null`: it is no address. */
  readonly href: string | null;
  /** The end of what was examined. */
  readonly seen: number;
}

/** What begins at `from` with a scheme, or with `www.` as many leave it out. */
function addressAt(text: string, from: number): Found {
  const whole = matchAt(ADDRESS, text, from);
  const [scheme = ""] = /^(?:\w+:(?:\/\/)?)?/.exec(whole) ?? [];
  const address = scheme + withoutTail(withoutParticle(whole.slice(scheme.length)));
  const href = scheme === "" ? hrefOfHost(address) : hrefOf(address);
  const seen = from + (href === null ? whole.length : address.length);
  return { from, length: address.length, href, seen };
}

/** An e-mail address around the sign at `at`, which begins no earlier than at `earliest`. */
function mailAround(text: string, at: number, earliest: number): Found {
  const least = Math.max(earliest, at - LOCAL_MAX);
  let from = at;
  while (from > least && LOCAL.test(text.charAt(from - 1))) from -= 1;
  // What marks or quotes it is not a part of it.
  while (from < at && ".%+-_'".includes(text.charAt(from))) from += 1;
  const domain = matchAt(DOMAIN, text, at + 1).replace(/-+$/, "");
  const end = at + 1 + domain.length;
  const good = from < at && text.charAt(at - 1) !== "." && DOMAIN_END.test(domain);
  // A path behind it is that of a repository, or of a device of somebody's.
  const goesOn = /^[:/][^\s]/.test(text.slice(end, end + 2));
  const address = text.slice(from, end);
  return {
    from,
    length: address.length,
    href: good && !goesOn ? `mailto:${address}` : null,
    seen: end,
  };
}

function matchAt(pattern: RegExp, text: string, at: number): string {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0] ?? "";
}

/** In some scripts a particle is written onto the name of a host. */
function withoutParticle(address: string): string {
  return ONTO_HOST.exec(address)?.[0] ?? address;
}

const CLOSING: ReadonlyMap<string, string> = new Map([
  [")", "("],
  ["]", "["],
  ["}", "{"],
]);

/** Cuts trailing punctuation, and everything from a bracket that was not opened in the address. */
function withoutTail(address: string): string {
  const open = new Map<string, number>();
  let end = 0;
  for (const sign of address) {
    const opening = CLOSING.get(sign);
    if (opening !== undefined) {
      const left = open.get(opening) ?? 0;
      if (left === 0) break;
      open.set(opening, left - 1);
    } else if ("([{".includes(sign)) {
      open.set(sign, (open.get(sign) ?? 0) + 1);
    }
    end += sign.length;
  }
  while (end > 0 && ".,;:!?*_~([{".includes(address.charAt(end - 1))) end -= 1;
  return address.slice(0, end);
}

function hrefOfHost(address: string): string | null {
  const domain = matchAt(DOMAIN, address, 0);
  const rest = address.slice(domain.length);
  const good =
    domain.split(".").length > 2 && DOMAIN_END.test(domain) && /^(?:[/?#:]|$)/.test(rest);
  return good ? hrefOf(`https://${address}`) : null;
}

function hrefOf(address: string): string | null {
  if (!URL.canParse(address)) return null;
  const url = new URL(address);
  if (!SCHEMES.has(url.protocol)) return null;
  return url.protocol === "mailto:" && !url.pathname.includes("@") ? null : url.href;
}
