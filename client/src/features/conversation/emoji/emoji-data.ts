import type { EmojiData, SkinTone } from "frimousse";
import { flagsAreDrawn, newestDrawn } from "./emoji-font";
import type { EmojiWithCodes } from "./shortcodes";

/** The file that `scripts/emoji-data.ts` makes for each language. */
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
  /** Its shortcodes. */
  codes: string,
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

/** The emoji that this browser can draw, with names in the given language. */
export async function loadEmoji(language: string): Promise<EmojiData> {
  const { categories, emojis } = await fileOf(language);
  return {
    locale: language,
    categories: categories.map(([index, label]) => ({ index, label })),
    emojis: drawn(emojis).map(emojiOf),
    // The picker's own button would say these; ours has its texts from the catalogue.
    skinTones: { light: "", "medium-light": "", medium: "", "medium-dark": "", dark: "" },
  };
}

/** The same emoji with their shortcodes. */
export async function loadEmojiWithCodes(language: string): Promise<readonly EmojiWithCodes[]> {
  const { emojis } = await fileOf(language);
  return drawn(emojis).map(([emoji, label, tags, , , kind, codes]) => ({
    emoji,
    label,
    codes: codes.split(" "),
    words: `${label} ${tags}`.toLowerCase().split(/[\s:,]+/u),
    toned: kind === "toned",
  }));
}

async function fileOf(language: string): Promise<EmojiFile> {
  const german = language.startsWith("de");
  return (german ? await import("virtual:emoji/de") : await import("virtual:emoji/en")).default;
}

function drawn(emojis: readonly EmojiRow[]): readonly EmojiRow[] {
  const newest = newestDrawn(new Map(emojis.map(([emoji, , , , version]) => [version, emoji])));
  const flags = flagsAreDrawn();
  return emojis.filter(
    ([, , , , version, kind]) => version <= newest && (flags || kind !== "flag"),
  );
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

/** An emoji in all skin tones, which apply to every part that can have one. */
export function skinsOf(emoji: string): Record<Tone, string> {
  const parts = emoji.split(JOINER);
  const toned = (tone: string) =>
    parts
      .map((part) => {
        const keeps = !/\p{Emoji_Modifier_Base}/u.test(part);
        // Between two people, the tone is theirs.
        const between = parts.length > 1 && part === HANDSHAKE;
        return keeps || between ? part : part.replace(/\ufe0f$/, "") + tone;
      })
      .join(JOINER);
  return Object.fromEntries(TONES.map(([name, tone]) => [name, toned(tone)])) as Record<
    Tone,
    string
  >;
}
