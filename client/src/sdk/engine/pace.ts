import type { Limits } from "../protocol/generated";

type Rate = Pick<Limits, "sends_per_second" | "sends_burst">;

/**
 * What is left of the sends that the server allows this user, as a token
 * bucket: keeping to it is kinder than being refused.
 */
export interface Pace {
  /** Sends that were left at the time `at`, up to the burst. */
  readonly left: number;
  readonly at: number;
}

/** Thirds of milliseconds do not add up exactly. */
const ROUNDING = 1e-6;

export const UNSPENT: Pace = { left: Number.POSITIVE_INFINITY, at: 0 };

/** How many may go now. */
export function allowance(pace: Pace, rate: Rate, now: number): number {
  return Math.floor(leftAt(pace, rate, now) + ROUNDING);
}

/** After `count` went. */
export function spend(pace: Pace, rate: Rate, now: number, count: number): Pace {
  return { left: leftAt(pace, rate, now) - count, at: now };
}

/** Milliseconds until another one may go; 0: at once. */
export function untilNext(pace: Pace, rate: Rate, now: number): number {
  const missing = 1 - leftAt(pace, rate, now);
  return missing <= ROUNDING ? 0 : Math.ceil((missing * 1_000) / rate.sends_per_second);
}

function leftAt(pace: Pace, rate: Rate, now: number): number {
  if (rate.sends_per_second === 0) return Number.POSITIVE_INFINITY;
  const gained = ((now - pace.at) * rate.sends_per_second) / 1_000;
  return Math.min(rate.sends_burst, pace.left + gained);
}
