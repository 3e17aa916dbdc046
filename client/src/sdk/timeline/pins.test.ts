import fc from "fast-check";
import { expect, test } from "vitest";
import type { Pin } from "../protocol/message";
import { completeTo, listedAsOf, NO_PINS, pinnedIn, withChanges } from "./pins";

function pin(seq: number, target: number, on = true): Pin {
  const at = "2026-11-23T19:00:00.000Z";
  const header = { conversation: "c", seq, sender: "u", client_id: `p${seq}`, at };
  return { ...header, kind: "pin", target, on };
}

test("messages stand in the order of pinning, and keep their place when pinned again", () => {
  const changes = [pin(4, 3), pin(5, 1), pin(6, 3), pin(7, 2), pin(8, 1, false), pin(9, 1)];
  expect(pinnedIn(withChanges(NO_PINS, changes))).toEqual([3, 2, 1]);
});

test("what is listed already changes nothing", () => {
  const pins = listedAsOf(NO_PINS, [1, 2], 9);
  expect(withChanges(pins, [pin(8, 2, false), pin(9, 7)])).toBe(pins);
  expect(pinnedIn(withChanges(pins, [pin(10, 2, false)]))).toEqual([1]);
});

test("a list that is as old as the one held replaces it, an older one does not", () => {
  const pins = listedAsOf(NO_PINS, [1, 2], 9);
  expect(listedAsOf(pins, [], 8)).toBe(pins);
  expect(listedAsOf(pins, [1, 2], 9)).toBe(pins);
  expect(pinnedIn(listedAsOf(pins, [2, 1], 9))).toEqual([2, 1]);
});

test("whenever a list comes in between, the pins are those of all changes", () => {
  const changes = fc
    .array(fc.tuple(fc.integer({ min: 1, max: 5 }), fc.boolean()), { maxLength: 30 })
    .map((all) => all.map(([target, on], index) => pin(index + 1, target, on)));
  fc.assert(
    fc.property(changes, fc.nat(30), fc.nat(30), (changes, at, asOf) => {
      const whole = pinnedIn(withChanges(NO_PINS, changes));
      const listed = pinnedIn(withChanges(NO_PINS, changes.slice(0, asOf)));
      const described = listedAsOf(withChanges(NO_PINS, changes.slice(0, at)), listed, asOf);
      const pins = withChanges(described, changes.slice(at));
      expect(pinnedIn(pins)).toEqual(whole);
      const complete = completeTo(pins, changes.length);
      expect(pinnedIn(complete)).toEqual(whole);
      expect(complete.changes).toEqual([]);
    }),
  );
});
