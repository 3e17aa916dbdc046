/** Time and randomness, passed in so that tests control both. */
export interface Clock {
  /** Milliseconds, only good for differences. */
  now(): number;
  /** Calls back once after `ms`. Returns a function that cancels this. */
  after(ms: number, run: () => void): () => void;
  /** Evenly from [0, 1). */
  random(): number;
}

/** That of the machine. */
export const SYSTEM_CLOCK: Clock = {
  // Unlike `Date.now`, it never goes backwards.
  now: () => performance.now(),
  after(ms, run) {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
  random: () => Math.random(),
};
