import { read, write } from "./local-storage";

/** What this browser's user has chosen of emoji, in `localStorage`. The keys must not change. */
const RECENT_EMOJI = "tidings.emoji";
const SKIN_TONE = "tidings.skin-tone";

/** How many recently used emoji are remembered. */
const RECENT_MAX = 16;

/** The recently used emoji, the latest first. */
export function recentEmoji(): readonly string[] {
  return (read(RECENT_EMOJI) ?? "").split(" ").filter((emoji) => emoji !== "");
}

export function noteEmoji(emoji: string): void {
  const others = recentEmoji().filter((other) => other !== emoji);
  write(RECENT_EMOJI, [emoji, ...others].slice(0, RECENT_MAX).join(" "));
}

const TONES = ["none", "light", "medium-light", "medium", "medium-dark", "dark"] as const;
export type Tone = (typeof TONES)[number];

/** The skin tone in which emoji are offered. */
export function skinTone(): Tone {
  const stored = read(SKIN_TONE);
  return TONES.find((tone) => tone === stored) ?? "none";
}

export function setSkinTone(tone: Tone): void {
  write(SKIN_TONE, tone === "none" ? null : tone);
}
