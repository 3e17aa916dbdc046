import fc from "fast-check";
import { expect, test } from "vitest";
import type { Message } from "../protocol/generated";
import {
  ASIDE_MAX,
  hasGap,
  heldTo,
  type Log,
  noteKnown,
  place,
  placeAll,
  prepend,
  startLog,
  trim,
} from "./log";

function message(seq: number): Message {
  const at = "2026-11-23T19:00:00.000Z";
  return { conversation: "c", seq, sender: "u", client_id: `m${seq}`, at, body: `text ${seq}` };
}

function messages(from: number, to: number): Message[] {
  return Array.from({ length: to - from + 1 }, (_, index) => message(from + index));
}

function checkInvariants(log: Log): void {
  expect(log.messages.every((held, index) => held.seq === log.base + 1 + index)).toBe(true);
  expect(log.known).toBeGreaterThanOrEqual(heldTo(log));
  expect(log.aside.size).toBeLessThanOrEqual(ASIDE_MAX);
  expect([...log.aside.keys()].every((seq) => seq > heldTo(log) + 1)).toBe(true);
}

test("what is known is dropped, what is next applied, what is beyond kept aside", () => {
  let log = place(startLog(4), message(5));
  expect(place(log, message(5))).toBe(log);
  expect(place(log, message(3))).toBe(log);
  log = place(log, message(7));
  expect(heldTo(log)).toBe(5);
  expect(hasGap(log)).toBe(true);
  log = place(log, message(6));
  expect(heldTo(log)).toBe(7);
  expect(hasGap(log)).toBe(false);
});

test("f24: any order of live, doubled and replayed messages equals a cold load", () => {
  const deliveries = fc.integer({ min: 1, max: 60 }).chain((last) =>
    fc.record({
      last: fc.constant(last),
      base: fc.integer({ min: 0, max: last }),
      noise: fc.array(fc.array(fc.integer({ min: 1, max: last }), { maxLength: 5 })),
      order: fc.shuffledSubarray(
        Array.from({ length: last }, (_, index) => index + 1),
        { minLength: last, maxLength: last },
      ),
    }),
  );
  fc.assert(
    fc.property(deliveries, ({ last, base, noise, order }) => {
      const cold = placeAll(startLog(base), messages(1, last));
      let log = startLog(base);
      for (const batch of noise) {
        log = placeAll(log, batch.map(message));
        checkInvariants(log);
      }
      for (const seq of order) {
        log = place(log, message(seq));
        checkInvariants(log);
      }
      expect(log).toEqual(cold);
      expect(hasGap(log)).toBe(false);
    }),
  );
});

test("history and live messages meet in any interleaving", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 80 }),
      fc.integer({ min: 1, max: 20 }),
      fc.array(fc.boolean(), { minLength: 100, maxLength: 100 }),
      (start, page, turns) => {
        let log = startLog(start);
        let live = start;
        for (const older of turns) {
          if (older) log = prepend(log, messages(Math.max(1, log.base - page + 1), log.base));
          else {
            live += 1;
            log = place(log, message(live));
          }
          checkInvariants(log);
        }
        expect(heldTo(log)).toBe(live);
      },
    ),
  );
});

test("a page that does not touch the run changes nothing", () => {
  const log = placeAll(startLog(10), messages(11, 12));
  expect(prepend(log, messages(3, 8))).toBe(log);
  expect(prepend(log, [message(8), message(10)])).toBe(log);
  expect(prepend(log, [])).toBe(log);
  expect(prepend(log, messages(9, 12)).messages.map((held) => held.seq)).toEqual([9, 10, 11, 12]);
});

test("a trimmed log goes on, and its history can be loaded again", () => {
  const log = trim(placeAll(startLog(0), messages(1, 100)), 10);
  expect(log.base).toBe(90);
  expect(heldTo(place(log, message(101)))).toBe(101);
  expect(prepend(log, messages(81, 90)).base).toBe(80);
});

test("a number that is only known shows a gap", () => {
  const log = noteKnown(startLog(0), 3);
  expect(hasGap(log)).toBe(true);
  expect(hasGap(placeAll(log, messages(1, 3)))).toBe(false);
});

test("what waits behind a gap is bounded", () => {
  const log = placeAll(startLog(0), messages(2, ASIDE_MAX + 100));
  checkInvariants(log);
  expect(hasGap(placeAll(log, messages(1, 500)))).toBe(true);
  expect(heldTo(placeAll(log, messages(1, ASIDE_MAX + 100)))).toBe(ASIDE_MAX + 100);
});
