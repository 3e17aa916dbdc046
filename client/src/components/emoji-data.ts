import type { EmojiData, SkinTone } from "frimousse";
import { flagsAreDrawn, newestDrawn } from "./emoji-font";

/** What `scripts/emoji-data.ts` makes for each language. */
export interface EmojiFile {
  /** Number and name. */
  readonly categories: readonly (readonly [number, string])[];
  readonly emojis: readonly EmojiRow[];
}

export type EmojiRow = readonly [
  emoji: string,
  label: string,
  /** Further words to find it by. */
  tags: string,
  category: number,
  /** The version of Emoji that it came with. */
  version: number,
  /** Whether there are skin tones of it. */
  kind: "" | "toned" | "flag",
];

type Tone = Exclude<SkinTone, "none">;

const TONES: readonly (readonly [Tone, string])[] = [
  ["light", "🏻"],
  ["medium-light", "🏼"],
  ["medium", "🏽"],
  ["medium-dark", "🏾"],
  ["dark", "🏿"],
];

const JOINER = "\u200d";
const HANDSHAKE = "🤝";

/** The emoji that this browser can draw, with names in a language that there are texts in. */
export async function loadEmoji(language: string): Promise<EmojiData> {
  const german = language.startsWith("de");
  const file = german ? await import("virtual:emoji/de") : await import("virtual:emoji/en");
  return dataOf(language, file.default);
}

function dataOf(locale: string, { categories, emojis }: EmojiFile): EmojiData {
  const newest = newestDrawn(new Map(emojis.map(([emoji, , , , version]) => [version, emoji])));
  const flags = flagsAreDrawn();
  const drawn = emojis.filter(
    ([, , , , version, kind]) => version <= newest && (flags || kind !== "flag"),
  );
  return {
    locale,
    categories: categories.map(([index, label]) => ({ index, label })),
    emojis: drawn.map(emojiOf),
    // The picker's own button would say these; ours has its texts from the catalogue.
    skinTones: { light: "", "medium-light": "", medium: "", "medium-dark": "", dark: "" },
  };
}

function emojiOf([
  emoji,
  label,
  tags,
  category,
  version,
  kind,
]: EmojiRow): EmojiData["emojis"][number] {
  const plain = { emoji, label, category, version, tags: [tags] };
  return kind === "toned" ? { ...plain, skins: skinsOf(emoji) } : plain;
}

/** An emoji in all skin tones: every part of it that can have one gets it. */
export function skinsOf(emoji: string): Record<Tone, string> {
  const parts = emoji.split(JOINER);
  const toned = (tone: string) =>
    parts
      .map((part) => {
        const keeps = !/\p{Emoji_Modifier_Base}/u.test(part);
        // Between two people it is theirs.
        const between = parts.length > 1 && part === HANDSHAKE;
        return keeps || between ? part : part.replace(/\ufe0f$/, "") + tone;
      })
      .join(JOINER);
  return Object.fromEntries(TONES.map(([name, tone]) => [name, toned(tone)])) as Record<
    Tone,
    string
  >;
}
