import { useSyncExternalStore } from "react";
import { renewZone, untilTomorrow } from "../i18n/time";
import { onWake } from "../platform/browser";
import { Listeners } from "../sdk/store/listeners";

/** Timers may fire early or late when the clock is set or the machine sleeps. */
const SLACK_MS = 50;
/** No event says that the time zone has changed: how often it is checked. */
const LOOK_MS = 60_000;

const listeners = new Listeners();
let day = today();
let timer: ReturnType<typeof setTimeout> | undefined;

/**
 * Renders a component again when a new day begins, since today is then yesterday,
 * or when the time zone changes. Returns day and time zone as a string.
 */
export function useToday(): string {
  return useSyncExternalStore(follow, () => day);
}

function follow(listener: () => void): () => void {
  const end = listeners.add(listener);
  if (timer === undefined) {
    look();
    onWake(look);
  }
  return end;
}

function look(): void {
  clearTimeout(timer);
  timer = setTimeout(look, Math.min(LOOK_MS, untilTomorrow(new Date()) + SLACK_MS));
  const now = today();
  if (now === day) return;
  day = now;
  listeners.tell();
}

function today(): string {
  return `${new Date().toDateString()}, ${renewZone()}`;
}
