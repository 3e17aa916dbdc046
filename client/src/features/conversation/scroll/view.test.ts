import { expect, test } from "vitest";
import { place, startLog } from "../../../sdk/timeline/log";
import { held, message, view } from "./fixtures";
import { firstUnread, passesNothing, rowOf, seqOf } from "./view";

/** Ada, who reads, wrote 10. */
const log = held(0, 12);

test("the first unread message is one of somebody else that is not read", () => {
  expect(firstUnread(view(log, 0))).toBe(1);
  expect(firstUnread(view(log, 4))).toBe(5);
  expect(firstUnread(view(log, 9))).toBe(11);
  expect(firstUnread(view(log, 12))).toBeNull();
  expect(firstUnread(view(held(5, 10), 9))).toBeNull();
});

test("numbers that are not messages are passed over", () => {
  const hidden = (seq: number) => ({ conversation: "c", seq });
  const sparse = [message(3), hidden(4), hidden(5), message(10), hidden(11), message(12)].reduce(
    place,
    startLog(2),
  );
  expect(sparse.end).toBe(5);
  const whole = [6, 7, 8, 9].map(hidden).reduce(place, sparse);
  const unread = (read: number) => firstUnread(view(whole, read));
  expect([0, 2, 3, 5, 11, 12].map(unread)).toEqual([3, 3, 12, 12, 12, null]);
});

test("a row has the number of its message, or the last one's if it is on its way", () => {
  const seen = view(log, 0);
  expect(rowOf(seen, 7)).toBe(log.firstIndex + 6);
  expect([rowOf(seen, 13), rowOf(seen, null)]).toEqual([null, null]);
  expect([seqOf(seen, log.firstIndex + 6), seqOf(seen, log.firstIndex + 20)]).toEqual([7, 12]);
  expect(seqOf(view(startLog(0), 0), 1)).toBeNull();
});

test("what is before the run, or unread before a number, would be passed over", () => {
  expect(passesNothing(view(log, 4), 5)).toBe(true);
  expect(passesNothing(view(log, 4), 6)).toBe(false);
  expect(passesNothing(view(log, 12), 12)).toBe(true);
  expect(passesNothing(view(held(5, 12), 2), 6)).toBe(false);
});
