import { useSyncExternalStore } from "react";
import { Listeners } from "../sdk/store/listeners";

/** The browser's offer to install the page as an app (Chromium only). */
interface InstallOffer extends Event {
  prompt(): Promise<unknown>;
}

let offer: InstallOffer | null = null;
const listeners = new Listeners();

/** Keeps the offer for when the user wants it; to be called before the page has loaded. */
export function keepInstallOffer(): void {
  window.addEventListener("beforeinstallprompt", (event) => {
    // Otherwise the browser may show its own prompt at any time.
    event.preventDefault();
    change(event as InstallOffer);
  });
  window.addEventListener("appinstalled", () => change(null));
}

export function useInstallable(): boolean {
  return useSyncExternalStore(listeners.add, () => offer !== null);
}

export async function install(): Promise<void> {
  const asked = offer;
  // An offer can be used once; the browser may fire a new event later.
  change(null);
  await asked?.prompt();
}

function change(next: InstallOffer | null): void {
  offer = next;
  listeners.tell();
}
