import { useSyncExternalStore } from "react";
import { Listeners } from "../sdk/store/listeners";

/**
 * Whether the page may go on as it is: `newer`, when another version of the
 * client is ready, which a reload brings; `gone`, when a part of this one was
 * asked for and is not to be had any more.
 */
export type Edition = "current" | "newer" | "gone";

let edition: Edition = "current";
/** Brings the other version. */
let take = () => location.reload();
const listeners = new Listeners();
const failures = new WeakSet<Error>();

/** Notes parts of the page that cannot be loaded. */
export function watchParts(): void {
  window.addEventListener("vite:preloadError", ({ payload }) => {
    failures.add(payload);
    // Without a network, a reload would bring nothing.
    if (navigator.onLine) announce("gone");
  });
}

/** Whether this is what a part of the page has failed with that could not be loaded. */
export function isMissingPart(error: unknown): boolean {
  return error instanceof Error && failures.has(error);
}

/** A newer version is there; `bring` makes this page run it. */
export function announceNewer(bring: () => void): void {
  take = bring;
  announce("newer");
}

export function takeNewer(): void {
  take();
}

export function useEdition(): Edition {
  return useSyncExternalStore(listeners.add, () => edition);
}

function announce(next: Edition): void {
  edition = next;
  listeners.tell();
}
