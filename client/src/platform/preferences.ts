import { Listeners } from "../sdk/store/listeners";
import { read, write } from "./local-storage";

/** What this browser's user has chosen, in `localStorage`. The keys must not change. */
const NOTIFICATIONS = "tidings.notifications";
const TEXT = "tidings.notifications.text";
const SOUND = "tidings.sound";
/** Also read by `first-paint.js`. */
const THEME = "tidings.theme";
const PEOPLE = "tidings.people";
const RECENT_EMOJI = "tidings.emoji";
const SKIN_TONE = "tidings.skin-tone";

/** Light or dark; `system`: as the rest of the device. */
export type Theme = "system" | "light" | "dark";

/** Whether this browser wants notifications, once it allows them. */
export function wantsNotifications(): boolean {
  return read(NOTIFICATIONS) !== "off";
}

export function setWantsNotifications(wanted: boolean): void {
  write(NOTIFICATIONS, wanted ? null : "off");
}

/** The chosen theme. */
export function readTheme(): Theme {
  const stored = read(THEME);
  return stored === "light" || stored === "dark" ? stored : "system";
}

export function writeTheme(theme: Theme): void {
  write(THEME, theme === "system" ? null : theme);
}

/** Whether notifications show the text of messages. */
export function showsText(): boolean {
  return read(TEXT) !== "off";
}

export function setShowsText(shown: boolean): void {
  write(TEXT, shown ? null : "off");
}

/** Whether a new message plays a sound. */
export function wantsSound(): boolean {
  return read(SOUND) !== "off";
}

export function setWantsSound(wanted: boolean): void {
  write(SOUND, wanted ? null : "off");
}

const folds = new Listeners();
let folded = read(PEOPLE) === "folded";

/** Whether the list of people online is folded away. */
export function peopleFolded(): boolean {
  return folded;
}

export function setPeopleFolded(next: boolean): void {
  folded = next;
  write(PEOPLE, next ? "folded" : null);
  folds.tell();
}

/** Calls back when this page has folded or unfolded the list. Returns an unsubscribe function. */
export const onPeopleFolded = folds.add;

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
