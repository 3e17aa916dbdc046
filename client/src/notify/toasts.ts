import { useSyncExternalStore } from "react";
import type { toast } from "sonner";
import { Listeners } from "../sdk/store/listeners";

type Show = (sonner: typeof toast) => void;

/**
 * Toasts wait here until `Toaster` is there, which is loaded with the first of
 * them: most visits need none.
 */
const waiting: Show[] = [];
let shown: typeof toast | null = null;
const listeners = new Listeners();

/** Shows a toast. */
export function showToast(show: Show): void {
  waiting.push(show);
  if (shown !== null) toasterReady(shown);
  listeners.tell();
}

/** Takes a toast away, if it is there. */
export function dismissToast(id: string): void {
  if (toasting()) showToast((sonner) => sonner.dismiss(id));
}

/** Whether the `Toaster` is needed. */
export function useToasting(): boolean {
  return useSyncExternalStore(listeners.add, toasting);
}

const toasting = () => shown !== null || waiting.length > 0;

/** To be called by the `Toaster` once it is on the page. */
export function toasterReady(sonner: typeof toast): void {
  shown = sonner;
  for (const show of waiting.splice(0)) show(sonner);
}
