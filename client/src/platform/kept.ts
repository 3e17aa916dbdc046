import type { ConversationId, UserId } from "../sdk/protocol/generated";
import { Listeners } from "../sdk/store/listeners";
import type { Theme } from "./theme";

/**
 * Small things that outlive the page, in `localStorage`: it writes at once,
 * also while the page is being closed. A browser that refuses storage loses
 * them with the page, and nothing else.
 */
const DRAFT = "tidings.draft.";
const RECENT_EMOJI = "tidings.emoji";
const SKIN_TONE = "tidings.skin-tone";
const NOTIFICATIONS = "tidings.notifications";
/** Also read by `first-paint.js`. */
const THEME = "tidings.theme";
const TEXT = "tidings.notifications.text";
const SOUND = "tidings.sound";

const drafts = new Listeners();

/** What was being typed in a conversation. */
export function readDraft(user: UserId, conversation: ConversationId): string {
  return read(`${DRAFT}${user}.${conversation}`) ?? "";
}

export function writeDraft(user: UserId, conversation: ConversationId, text: string): void {
  write(`${DRAFT}${user}.${conversation}`, text === "" ? null : text);
  drafts.tell();
}

/** Calls back after every change of a draft, in this tab or another; the answer ends that. */
export function onDrafts(listener: () => void): () => void {
  const onStorage = ({ key }: StorageEvent) => {
    if (key === null || key.startsWith(DRAFT)) listener();
  };
  window.addEventListener("storage", onStorage);
  const end = drafts.add(listener);
  return () => {
    end();
    window.removeEventListener("storage", onStorage);
  };
}

/** Calls back with a draft that another tab has changed, until the answer is called. */
export function onDraft(
  user: UserId,
  conversation: ConversationId,
  heard: (text: string) => void,
): () => void {
  const onStorage = ({ key, newValue }: StorageEvent) => {
    if (key === `${DRAFT}${user}.${conversation}`) heard(newValue ?? "");
  };
  window.addEventListener("storage", onStorage);
  return () => window.removeEventListener("storage", onStorage);
}

/** Forgets all drafts of a user, who logs out. */
export function clearDrafts(user: UserId): void {
  guarded(() => {
    for (const key of Object.keys(localStorage)) {
      if (key.startsWith(`${DRAFT}${user}.`)) localStorage.removeItem(key);
    }
  });
}

/** Whether this browser wants notifications, once it allows them. */
export function wantsNotifications(): boolean {
  return read(NOTIFICATIONS) !== "off";
}

export function setWantsNotifications(wanted: boolean): void {
  write(NOTIFICATIONS, wanted ? null : "off");
}

/** Whether this browser is to look light or dark, whatever the device does. */
export function readTheme(): Theme {
  const kept = read(THEME);
  return kept === "light" || kept === "dark" ? kept : "system";
}

export function writeTheme(theme: Theme): void {
  write(THEME, theme === "system" ? null : theme);
}

/** Whether notifications show what was written. */
export function showsText(): boolean {
  return read(TEXT) !== "off";
}

export function setShowsText(shown: boolean): void {
  write(TEXT, shown ? null : "off");
}

/** Whether a new message can be heard. */
export function wantsSound(): boolean {
  return read(SOUND) !== "off";
}

export function setWantsSound(wanted: boolean): void {
  write(SOUND, wanted ? null : "off");
}

/** So many of the emoji that were used last are kept. */
const RECENT_MAX = 16;

/** The emoji that were used last, the last one first. */
export function recentEmoji(): readonly string[] {
  return (read(RECENT_EMOJI) ?? "").split(" ").filter((emoji) => emoji !== "");
}

export function noteEmoji(emoji: string): void {
  const others = recentEmoji().filter((other) => other !== emoji);
  write(RECENT_EMOJI, [emoji, ...others].slice(0, RECENT_MAX).join(" "));
}

const TONES = ["none", "light", "medium-light", "medium", "medium-dark", "dark"] as const;
export type Tone = (typeof TONES)[number];

/** The skin tone that emoji are offered in. */
export function skinTone(): Tone {
  const kept = read(SKIN_TONE);
  return TONES.find((tone) => tone === kept) ?? "none";
}

export function setSkinTone(tone: Tone): void {
  write(SKIN_TONE, tone === "none" ? null : tone);
}

function read(key: string): string | null {
  return guarded(() => localStorage.getItem(key)) ?? null;
}

function write(key: string, value: string | null): void {
  guarded(() => {
    if (value === null) localStorage.removeItem(key);
    else localStorage.setItem(key, value);
  });
}

/** Storage throws where it is switched off or full. */
function guarded<T>(use: () => T): T | undefined {
  try {
    return use();
  } catch {
    return undefined;
  }
}
