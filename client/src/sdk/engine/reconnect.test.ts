import { expect, test } from "vitest";
import { DEFAULT_BACKOFF, endingOf, failuresAfter, reconnectDelay } from "./reconnect";

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
    expect(endingOf(code)).toBeNull();
  }
  expect(endingOf(4500)).toBe("fault");
  expect(endingOf(4501)).toBe("logged_out");
  expect(endingOf(4502)).toBe("too_many");
  expect(endingOf(4503)).toBe("refused");
  expect(endingOf(4999)).toBe("refused");
});
