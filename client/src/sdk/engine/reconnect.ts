/** How long to wait between attempts to connect, in milliseconds. */
export interface Backoff {
  readonly min: number;
  readonly max: number;
}

/** Before the first `welcome` tells the server's own. */
export const DEFAULT_BACKOFF: Backoff = { min: 500, max: 20_000 };

/** A connection must be open this long before its end counts as a first failure. */
export const STABLE_MS = 5_000;

/** How long somebody who does something on the page is kept waiting for an attempt. */
export const PATIENCE_MS = 3_000;

/**
 * The wait before attempt number `failures` (from 1): full jitter between `min`
 * and a span that doubles with each failure, up to `max`. Without jitter all
 * clients of a restarted server come back at the same moment.
 */
export function reconnectDelay(failures: number, backoff: Backoff, random: number): number {
  const span = Math.min(backoff.max, backoff.min * 2 ** Math.max(1, failures));
  return Math.round(backoff.min + random * Math.max(0, span - backoff.min));
}

/**
 * The longest wait while the user is there and does something. People do not all
 * act at once, and a server in trouble gets one attempt of each in that time.
 */
export function longestWait(backoff: Backoff): number {
  return Math.max(PATIENCE_MS, backoff.min);
}

/** Failures in a row, after a connection that was open for `openMs` (0: never). */
export function failuresAfter(failures: number, openMs: number): number {
  return openMs >= STABLE_MS ? 1 : failures + 1;
}

/** Why a closed connection is not to be opened again by itself. */
export type Ending = "logged_out" | "fault" | "too_many" | "refused";

/** What a close code asks for: the reason to stay away, or `null` to come back. */
export function endingOf(code: number): Ending | null {
  if (code === 4501) return "logged_out";
  if (code === 4500) return "fault";
  if (code === 4502) return "too_many";
  return code > 4502 && code <= 4999 ? "refused" : null;
}
