import { expect, test } from "vitest";
import { available, FULL, spend, type TokenBucket, untilNext } from "./token-bucket";

const rate = { sends_per_second: 5, sends_burst: 20 };

test("a burst goes at once, then one every fifth of a second", () => {
  expect(available(FULL, rate, 0)).toBe(20);
  let bucket = spend(FULL, rate, 0, 20);
  expect(available(bucket, rate, 199)).toBe(0);
  expect(untilNext(bucket, rate, 0)).toBe(200);
  expect(available(bucket, rate, 200)).toBe(1);
  bucket = spend(bucket, rate, 200, 1);
  expect(available(bucket, rate, 10_000)).toBe(20);
});

test("waiting as long as it says is always enough", () => {
  let bucket: TokenBucket = FULL;
  let now = 0.3;
  for (let sent = 0; sent < 200; sent += 1) {
    now += untilNext(bucket, rate, now);
    expect(available(bucket, rate, now)).toBeGreaterThanOrEqual(1);
    bucket = spend(bucket, rate, now, 1);
  }
  expect(now).toBeGreaterThan(180 * 199);
});

test("no limit is no limit", () => {
  const none = { sends_per_second: 0, sends_burst: 0 };
  const bucket = spend(FULL, none, 0, 10_000);
  expect(available(bucket, none, 0)).toBe(Number.POSITIVE_INFINITY);
  expect(untilNext(bucket, none, 0)).toBe(0);
});
