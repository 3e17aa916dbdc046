import { useSyncExternalStore } from "react";
import type { toast } from "sonner";
import { Listeners } from "../sdk/store/listeners";
import type { MessageToast } from "./MessageToast";

/** Shows a toast with what is loaded for it. */
type Show = (sonner: typeof toast, Message: typeof MessageToast) => void;

/**
 * Toasts wait here for `Toaster`, which is loaded with the first of
 * them: most visits need none.
 */
const waiting: Show[] = [];
let loaded: Parameters<Show> | null = null;
const listeners = new Listeners();

/** Shows a toast. */
export function showToast(show: Show): void {
  waiting.push(show);
  if (loaded !== null) toasterReady(...loaded);
  listeners.tell();
}

/** Removes a toast, if it is there. */
export function dismissToast(id: string): void {
  if (toasting()) showToast((sonner) => sonner.dismiss(id));
}

/** Whether the `Toaster` is needed. */
export function useToasting(): boolean {
  return useSyncExternalStore(listeners.add, toasting);
}

const toasting = () => loaded !== null || waiting.length > 0;

/** To be called by the `Toaster` once it is on the page. */
export function toasterReady(...ready: Parameters<Show>): void {
  loaded = ready;
  for (const show of waiting.splice(0)) show(...ready);
}
