import { expect, test } from "vitest";
import {
  closeReasonOf,
  DEFAULT_BACKOFF,
  failuresAfter,
  probeDelay,
  reconnectDelay,
} from "./reconnect";

test("the wait is jittered over a span that doubles up to the maximum", () => {
  const spans = [1, 2, 3, 4, 5, 6, 7].map((n) => reconnectDelay(n, DEFAULT_BACKOFF, 1));
  expect(spans).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 20_000, 20_000]);
  for (const failures of [1, 5, 1_000]) {
    expect(reconnectDelay(failures, DEFAULT_BACKOFF, 0)).toBe(500);
  }
  expect(reconnectDelay(2, DEFAULT_BACKOFF, 0.5)).toBe(1_250);
});

test("only a connection that stayed open for a while resets the span", () => {
  expect(failuresAfter(6, 0)).toBe(7);
  expect(failuresAfter(6, 4_999)).toBe(7);
  expect(failuresAfter(6, 5_000)).toBe(1);
});

test("close codes of 4500 and above do not come back, all others do", () => {
  for (const code of [1000, 1001, 1002, 1006, 1011, 1012, 4008, 4010, 4011, 4012, 4499]) {
    expect(closeReasonOf(code)).toBeNull();
  }
  expect(closeReasonOf(4500)).toBe("fault");
  expect(closeReasonOf(4501)).toBe("logged_out");
  expect(closeReasonOf(4502)).toBe("too_many");
  expect(closeReasonOf(4503)).toBe("refused");
  expect(closeReasonOf(4504)).toBe("refused");
  expect(closeReasonOf(4999)).toBe("refused");
});

test("who waits for a server is spread over waits that grow up to a part of the longest", () => {
  const middle = [1, 2, 3, 4, 5].map((n) => probeDelay(n, DEFAULT_BACKOFF, 0.5));
  expect(middle).toEqual([1_000, 2_000, 4_000, 4_000, 4_000]);
  expect(probeDelay(9, DEFAULT_BACKOFF, 0)).toBe(2_000);
  expect(probeDelay(9, DEFAULT_BACKOFF, 1)).toBe(6_000);
  // A server that wants its clients to come back slowly has them ask slowly as well.
  expect(probeDelay(9, { min: 500, max: 100_000 }, 0.5)).toBe(20_000);
  expect(probeDelay(9, { min: 50, max: 200 }, 0.5)).toBe(1_000);
});
