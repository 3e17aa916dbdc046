import { useSyncExternalStore } from "react";
import { Listeners } from "../sdk/store/listeners";

/**
 * Whether this page runs the current version of the client. `newer`: another version
 * is ready, and a reload brings it. `gone`: a part of this version was needed and is
 * no longer on the server.
 */
export type AppVersion = "current" | "newer" | "gone";

let version: AppVersion = "current";
/** Loads the newer version. */
let load = () => location.reload();
const listeners = new Listeners();
const failures = new WeakSet<Error>();

/** Notes lazy parts of the page that cannot be loaded. */
export function watchLazyParts(): void {
  window.addEventListener("vite:preloadError", ({ payload }) => {
    failures.add(payload);
    // Without a network, a reload would bring nothing.
    if (navigator.onLine) announce("gone");
  });
}

/** Whether this error means that a lazy part of the page could not be loaded. */
export function isMissingPart(error: unknown): boolean {
  return error instanceof Error && failures.has(error);
}

/** A newer version is ready; `update` makes this page run it. */
export function announceNewVersion(update: () => void): void {
  load = update;
  announce("newer");
}

export function loadNewVersion(): void {
  load();
}

export function useAppVersion(): AppVersion {
  return useSyncExternalStore(listeners.add, () => version);
}

function announce(next: AppVersion): void {
  version = next;
  listeners.tell();
}
