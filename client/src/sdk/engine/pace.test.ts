import { expect, test } from "vitest";
import { allowance, type Pace, spend, UNSPENT, untilNext } from "./pace";

const rate = { sends_per_second: 5, sends_burst: 20 };

test("a burst goes at once, then one every fifth of a second", () => {
  expect(allowance(UNSPENT, rate, 0)).toBe(20);
  let pace = spend(UNSPENT, rate, 0, 20);
  expect(allowance(pace, rate, 199)).toBe(0);
  expect(untilNext(pace, rate, 0)).toBe(200);
  expect(allowance(pace, rate, 200)).toBe(1);
  pace = spend(pace, rate, 200, 1);
  expect(allowance(pace, rate, 10_000)).toBe(20);
});

test("waiting as long as it says is always enough", () => {
  let pace: Pace = UNSPENT;
  let now = 0.3;
  for (let sent = 0; sent < 200; sent += 1) {
    now += untilNext(pace, rate, now);
    expect(allowance(pace, rate, now)).toBeGreaterThanOrEqual(1);
    pace = spend(pace, rate, now, 1);
  }
  expect(now).toBeGreaterThan(180 * 199);
});

test("no limit is no limit", () => {
  const none = { sends_per_second: 0, sends_burst: 0 };
  const pace = spend(UNSPENT, none, 0, 10_000);
  expect(allowance(pace, none, 0)).toBe(Number.POSITIVE_INFINITY);
  expect(untilNext(pace, none, 0)).toBe(0);
});
