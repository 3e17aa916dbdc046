import { useSyncExternalStore } from "react";
import type { toast } from "sonner";

type Show = (sonner: typeof toast) => void;

/**
 * Toasts wait here until `Toaster` is there, which is loaded with the first of
 * them: most visits need none.
 */
const waiting: Show[] = [];
let shown: typeof toast | null = null;
const listeners = new Set<() => void>();

/** Shows a toast. */
export function showToast(show: Show): void {
  waiting.push(show);
  if (shown !== null) toasterReady(shown);
  for (const listener of listeners) listener();
}

/** Takes a toast away, if it is there. */
export function dismissToast(id: string): void {
  if (toasting()) showToast((sonner) => sonner.dismiss(id));
}

/** Whether the `Toaster` is needed. */
export function useToasting(): boolean {
  return useSyncExternalStore(subscribe, toasting);
}

const toasting = () => shown !== null || waiting.length > 0;

/** To be called by the `Toaster` once it is on the page. */
export function toasterReady(sonner: typeof toast): void {
  shown = sonner;
  for (const show of waiting.splice(0)) show(sonner);
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
