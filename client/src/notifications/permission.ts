import { useSyncExternalStore } from "react";
import { setWantsNotifications, wantsNotifications } from "../platform/preferences";
import { Listeners } from "../sdk/store/listeners";

/** Whether notifications are shown, and if not, why. */
export type Notifying = "on" | "off" | "ask" | "blocked" | "unsupported";

const listeners = new Listeners();

/** Whether notifications are shown. They need a secure context: HTTPS or localhost. */
export function notifying(): Notifying {
  if (!("Notification" in window) || !window.isSecureContext) return "unsupported";
  if (Notification.permission === "denied") return "blocked";
  if (!wantsNotifications()) return "off";
  return Notification.permission === "granted" ? "on" : "ask";
}

/** Call this from a click only: browsers block pages that ask for permission unprompted. */
export async function turnOnNotifications(): Promise<void> {
  setWantsNotifications(true);
  if (notifying() === "ask") await Notification.requestPermission();
  notificationPreferencesChanged();
}

export function turnOffNotifications(): void {
  setWantsNotifications(false);
  notificationPreferencesChanged();
}

export function useNotifying(): Notifying {
  return useSyncExternalStore(onNotifying, notifying);
}

/** Calls back after a change made on this page. Returns an unsubscribe function. */
export const onNotifying = listeners.add;

/** To be called when the text or sound of notifications was turned on or off. */
export function notificationPreferencesChanged(): void {
  listeners.tell();
}
