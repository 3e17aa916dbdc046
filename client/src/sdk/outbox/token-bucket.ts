import type { Limits } from "../protocol/generated";

type Rate = Pick<Limits, "sends_per_second" | "sends_burst">;

/**
 * The sends that the server still allows this user, as a token bucket. The client
 * keeps to it so that the server need not refuse anything.
 */
export interface TokenBucket {
  /** Tokens left at the time `at`, up to the burst. */
  readonly tokens: number;
  readonly at: number;
}

/** Thirds of milliseconds do not add up exactly. */
const ROUNDING = 1e-6;

export const FULL: TokenBucket = { tokens: Number.POSITIVE_INFINITY, at: 0 };

/** How many sends are allowed now. */
export function available(bucket: TokenBucket, rate: Rate, now: number): number {
  return Math.floor(tokensAt(bucket, rate, now) + ROUNDING);
}

/** The bucket after `count` sends. */
export function spend(bucket: TokenBucket, rate: Rate, now: number, count: number): TokenBucket {
  return { tokens: tokensAt(bucket, rate, now) - count, at: now };
}

/** Milliseconds until the next send is allowed; 0: it is now. */
export function untilNext(bucket: TokenBucket, rate: Rate, now: number): number {
  const missing = 1 - tokensAt(bucket, rate, now);
  return missing <= ROUNDING ? 0 : Math.ceil((missing * 1_000) / rate.sends_per_second);
}

function tokensAt(bucket: TokenBucket, rate: Rate, now: number): number {
  if (rate.sends_per_second === 0) return Number.POSITIVE_INFINITY;
  const gained = ((now - bucket.at) * rate.sends_per_second) / 1_000;
  return Math.min(rate.sends_burst, bucket.tokens + gained);
}
