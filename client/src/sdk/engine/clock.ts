/** Time and chance, given from outside so that tests decide both. */
export interface Clock {
  /** Milliseconds, only good for differences. */
  now(): number;
  /** Calls back once after `ms`; the answer cancels it. */
  after(ms: number, run: () => void): () => void;
  /** Evenly from [0, 1). */
  random(): number;
}
