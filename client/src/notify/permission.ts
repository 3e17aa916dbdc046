import { useSyncExternalStore } from "react";
import { setWantsNotifications, wantsNotifications } from "../platform/kept";

/** Whether notifications are shown, and if not, who may change that. */
export type Notifying = "on" | "off" | "ask" | "blocked" | "unsupported";

const listeners = new Set<() => void>();

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
  changed();
}

export function turnOffNotifications(): void {
  setWantsNotifications(false);
  changed();
}

export function useNotifying(): Notifying {
  return useSyncExternalStore(onNotifying, notifying);
}

/** Calls back after a change that was made on this page; the answer ends that. */
export function onNotifying(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** What notifications are like has changed: their text, their sound. */
export function changedWishes(): void {
  changed();
}

function changed(): void {
  for (const listener of listeners) listener();
}
