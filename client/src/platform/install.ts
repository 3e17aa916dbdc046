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
    // Else the browser may show it by itself, at a moment of its own choice.
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
  // It can be used once; a browser that still may be asked makes a new one.
  change(null);
  await asked?.prompt();
}

function change(next: InstallOffer | null): void {
  offer = next;
  listeners.tell();
}
