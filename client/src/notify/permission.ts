import { useSyncExternalStore } from "react";
import { setWantsNotifications, wantsNotifications } from "../platform/kept";
import { Listeners } from "../sdk/store/listeners";

/** Whether notifications are shown, and if not, who may change that. */
export type Notifying = "on" | "off" | "ask" | "blocked" | "unsupported";

const wishes = new Listeners();

/** Notifications need a secure context: HTTPS, or this very machine. */
export function notifying(): Notifying {
  if (!("Notification" in window) || !window.isSecureContext) return "unsupported";
  if (Notification.permission === "denied") return "blocked";
  if (!wantsNotifications()) return "off";
  return Notification.permission === "granted" ? "on" : "ask";
}

/** To be called from a click only: browsers punish the question that comes unasked. */
export async function turnOnNotifications(): Promise<void> {
  setWantsNotifications(true);
  if (notifying() === "ask") await Notification.requestPermission();
  changedWishes();
}

export function turnOffNotifications(): void {
  setWantsNotifications(false);
  changedWishes();
}

export function useNotifying(): Notifying {
  return useSyncExternalStore(onNotifying, notifying);
}

/** Calls back after a change that was made on this page; the answer ends that. */
export const onNotifying = wishes.add;

/** To be called when something else about notifications has changed: their text, their sound. */
export function changedWishes(): void {
  wishes.tell();
}
