import { afterEach, describe, expect, test } from "vitest";
import type { Entry } from "../outbox/outbox";
import type { Message } from "../protocol/message";
import { entry, message } from "../testing/messages";
import { GROUP_MS, rowsOf } from "./rows";

/** A log that holds these messages and begins with the first. */
const whole = (...messages: Message[]) => ({ base: 0, messages });

test("a message keeps its key when it is stored", () => {
  const [pending] = rowsOf(whole(), [entry], "ada");
  const [stored] = rowsOf(whole(message(9, entry.writtenAt)), [], "ada");
  expect(stored?.key).toBe(pending?.key);
});

test("one that is in the log before its answer is here is one row", () => {
  const log = whole(message(1, entry.writtenAt), message(9, entry.writtenAt));
  const rows = rowsOf(log, [entry], "ada");
  expect(rows.map((row) => row.message?.seq)).toEqual([1, 9]);
  const [, theirs] = rowsOf(whole(message(9, entry.writtenAt, "bob")), [entry], "ada");
  expect(theirs?.entry).toBe(entry);
});

test("one that was refused as another of its name is a row beside that", () => {
  const refused: Entry = { ...entry, state: "failed", code: "id_reused" };
  const rows = rowsOf(whole(message(9, entry.writtenAt)), [refused], "ada");
  expect(new Set(rows.map((row) => row.key)).size).toBe(2);
});

test("a change on its way is no row", () => {
  const pin: Entry = { ...entry, content: { kind: "pin", target: 9, on: true } };
  const rows = rowsOf(whole(message(9, entry.writtenAt, "bob")), [pin], "ada");
  expect(rows.map((row) => row.message?.seq)).toEqual([9]);
});

test("a new day is told where it begins, and at the very first message", () => {
  const days = (messages: Message[], base = 0) =>
    rowsOf({ base, messages }, [entry], "ada").map((row) => row.day);
  const [monday, tuesday] = ["2026-11-22T12:00:00.000Z", "2026-11-23T11:00:00.000Z"];
  expect(days([message(1, monday), message(2, monday), message(3, tuesday)])).toEqual([
    true,
    false,
    true,
    false,
  ]);
  expect(days([message(2, monday), message(3, tuesday)], 1)).toEqual([false, true, false]);
  // Before the first message there may be what is not shown.
  expect(days([message(2, monday), message(4, tuesday)])).toEqual([true, true, false]);
});

const HOME = process.env.TZ;
afterEach(() => {
  process.env.TZ = HOME ?? "UTC";
});

test("in another time zone days begin elsewhere", () => {
  const log = whole(message(1, "2026-11-23T14:00:00.000Z"), message(2, "2026-11-23T16:00:00.000Z"));
  const days = (zone: string) => {
    process.env.TZ = zone;
    return rowsOf(log, [], "ada", null, zone).map((row) => row.day);
  };
  expect(days("UTC")).toEqual([true, false]);
  expect(days("Asia/Tokyo")).toEqual([true, true]);
  expect(days("UTC")).toEqual([true, false]);
});

test("f22: where the server's clock was set back, rows stay in the order of their numbers", () => {
  const at = (hour: number) => `2026-11-23T${hour}:00:00.000Z`;
  const log = whole(
    ...[at(12), at(11), at(13), at(10)].map((hour, index) => message(index + 1, hour)),
  );
  const early: Entry = { ...entry, writtenAt: at(10) };
  const rows = rowsOf(log, [early], "ada");
  expect(rows.map((row) => row.message?.seq)).toEqual([1, 2, 3, 4, undefined]);
});

describe("groups", () => {
  const NOON = Date.parse(entry.writtenAt);
  const later = (seq: number, ms: number, sender = "ada") =>
    message(seq, new Date(NOON + ms).toISOString(), sender);
  /** Each row as `(`: begins a group, `)`: ends one, with its number in between. */
  const shape = (messages: Message[], entries: Entry[] = [], fresh: number | null = null) =>
    rowsOf(whole(...messages), entries, "ada", fresh)
      .map(({ begins, ends, message }) => [begins && "(", message?.seq ?? "·", ends && ")"])
      .map((parts) => parts.filter((part) => part !== false).join(""))
      .join(" ");

  test("are of one sender, with less than the time between one message and the next", () => {
    expect(shape([later(1, 0), later(2, 1), later(3, 2, "bob"), later(4, 3)])).toBe(
      "(1 2) (3) (4)",
    );
    const last = GROUP_MS - 1;
    expect(shape([later(1, 0), later(2, last), later(3, 2 * last), later(4, 3 * last + 1)])).toBe(
      "(1 2 3) (4)",
    );
  });

  test("end with the day, and before what is new to the reader", () => {
    const [late, early] = ["2026-11-22T23:59:59.000Z", "2026-11-23T00:00:01.000Z"];
    const midnight = [message(1, late), message(2, early)];
    const sameDay = new Date(late).toDateString() === new Date(early).toDateString();
    expect(shape(midnight)).toBe(sameDay ? "(1 2)" : "(1) (2)");
    const four = [1, 2, 3, 4].map((seq) => later(seq, seq, "bob"));
    expect(shape(four, [], 3)).toBe("(1 2) (3 4)");
  });

  test("take in what is on its way, but nothing that was refused", () => {
    const failed: Entry = { ...entry, clientId: "x", state: "failed" };
    expect(shape([later(1, -2)], [entry])).toBe("(1 ·)");
    expect(shape([later(1, -2)], [failed, entry])).toBe("(1) (·) (·)");
  });

  test("of ten thousand rows, one more message makes two anew", () => {
    const log = Array.from({ length: 10_000 }, (_, index) => later(index + 1, index * 1_000));
    const before = rowsOf(whole(...log), [], "ada");
    const rows = rowsOf(whole(...log, later(10_001, 10_000_000)), [], "ada");
    const anew = rows.filter((row, index) => row !== before[index]);
    expect(anew.map((row) => row.message?.seq)).toEqual([10_000, 10_001]);
  });
});
