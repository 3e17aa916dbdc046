import {
  CLOSE_FATAL_FRAME,
  CLOSE_LOGGED_OUT,
  CLOSE_TOO_MANY_SOCKETS,
  DEFAULT_LIMITS,
} from "../protocol/generated";

/** How long to wait between attempts to connect, in milliseconds. */
export interface Backoff {
  readonly min: number;
  readonly max: number;
}

/** Used until the first `welcome` brings the server's own. */
export const DEFAULT_BACKOFF: Backoff = {
  min: DEFAULT_LIMITS.reconnect_min_ms,
  max: DEFAULT_LIMITS.reconnect_max_ms,
};

/** A connection must be open this long before its end counts as a first failure. */
const STABLE_MS = 5_000;

/** The longest a user who is active on the page waits for the next attempt. */
export const ACTIVE_WAIT_MAX_MS = 3_000;

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
 * The longest wait while the user is active. People do not all
 * act at once, and a server in trouble gets one attempt from each in that time.
 */
export function longestWait(backoff: Backoff): number {
  return Math.max(ACTIVE_WAIT_MAX_MS, backoff.min);
}

/** Failures in a row, after a connection that was open for `openMs` (0: never). */
export function failuresAfter(failures: number, openMs: number): number {
  return openMs >= STABLE_MS ? 1 : failures + 1;
}

/**
 * Whether the session of a connection that could not be opened is still valid; `unknown` if
 * the server does not answer.
 */
export type Admission = "good" | "over" | "unknown";

/** The first wait between probes; it doubles up to a fraction of the longest wait. */
const PROBE_MIN_MS = 1_000;
const PROBE_PART = 5;

/**
 * The wait before probe number `probes` (from 1) of a server that did not answer. All who wait
 * for it are spread over one such wait when it answers again, so it grows with the server's own
 * longest one: 5,000 clients are back within 6 s by default, and no more than 1,250 of them in one.
 */
export function probeDelay(probes: number, backoff: Backoff, random: number): number {
  const longest = Math.max(PROBE_MIN_MS, backoff.max / PROBE_PART);
  const span = Math.min(longest, PROBE_MIN_MS * 2 ** (probes - 1));
  return Math.round(span * (0.5 + random));
}

/** Why a closed connection is not opened again automatically. */
export type CloseReason = "logged_out" | "fault" | "too_many" | "refused";

/** Clients reconnect after the codes below these, and not after these. */
const FINAL_MIN = 4_500;
const FINAL_MAX = 4_999;

/** Why a close code means not to reconnect; `null` if the client may. */
export function closeReasonOf(code: number): CloseReason | null {
  if (code === CLOSE_LOGGED_OUT) return "logged_out";
  if (code === CLOSE_FATAL_FRAME) return "fault";
  if (code === CLOSE_TOO_MANY_SOCKETS) return "too_many";
  return code >= FINAL_MIN && code <= FINAL_MAX ? "refused" : null;
}
