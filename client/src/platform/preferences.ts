import { Listeners } from "../sdk/store/listeners";
import { read, write } from "./local-storage";

/** What this browser's user has chosen, in `localStorage`. The keys must not change. */
const NOTIFICATIONS = "tidings.notifications";
const TEXT = "tidings.notifications.text";
const SOUND = "tidings.sound";
/** Also read by `first-paint.js`. */
const THEME = "tidings.theme";
const PEOPLE = "tidings.people";

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
