import { describe, expect, test } from "vitest";
import type { Entry } from "../engine/outbox";
import type { Message } from "../protocol/generated";
import { GROUP_MS, linesOf } from "./lines";

const message = (seq: number, at: string, sender = "ada"): Message => ({
  conversation: "c",
  seq,
  sender,
  client_id: `m${seq}`,
  at,
  body: "text",
});

const entry: Entry = {
  clientId: "m9",
  conversation: "c",
  body: "text",
  writtenAt: "2026-11-23T12:00:00.000Z",
  state: "sent",
};

test("a message keeps its key when it is stored", () => {
  const [pending] = linesOf([], [entry], "ada");
  const [stored] = linesOf([message(9, entry.writtenAt)], [], "ada");
  expect(stored?.key).toBe(pending?.key);
});

test("one that is in the log before its answer is here is one line", () => {
  const lines = linesOf([message(1, entry.writtenAt), message(9, entry.writtenAt)], [entry], "ada");
  expect(lines.map((line) => line.message?.seq)).toEqual([1, 9]);
  const [, theirs] = linesOf([message(9, entry.writtenAt, "bob")], [entry], "ada");
  expect(theirs?.entry).toBe(entry);
});

test("one that was refused as another of its name is a line beside that", () => {
  const refused: Entry = { ...entry, state: "failed", code: "id_reused" };
  const lines = linesOf([message(9, entry.writtenAt)], [refused], "ada");
  expect(new Set(lines.map((line) => line.key)).size).toBe(2);
});

test("a new day is told where it begins, and at the very first message", () => {
  const days = (messages: Message[]) => linesOf(messages, [entry], "ada").map((line) => line.day);
  const [monday, tuesday] = ["2026-11-22T12:00:00.000Z", "2026-11-23T11:00:00.000Z"];
  expect(days([message(1, monday), message(2, monday), message(3, tuesday)])).toEqual([
    true,
    false,
    true,
    false,
  ]);
  expect(days([message(2, monday), message(3, tuesday)])).toEqual([false, true, false]);
});

test("f22: where the server's clock was set back, lines stay in the order of their numbers", () => {
  const at = (hour: number) => `2026-11-23T${hour}:00:00.000Z`;
  const log = [message(1, at(12)), message(2, at(11)), message(3, at(13)), message(4, at(10))];
  const early: Entry = { ...entry, writtenAt: at(10) };
  const lines = linesOf(log, [early], "ada");
  expect(lines.map((line) => line.message?.seq)).toEqual([1, 2, 3, 4, undefined]);
});

describe("groups", () => {
  const NOON = Date.parse(entry.writtenAt);
  const later = (seq: number, ms: number, sender = "ada") =>
    message(seq, new Date(NOON + ms).toISOString(), sender);
  /** Each line as `(`: begins a group, `)`: ends one, with its number in between. */
  const shape = (messages: Message[], entries: Entry[] = [], fresh: number | null = null) =>
    linesOf(messages, entries, "ada", fresh)
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

  test("of ten thousand lines, one more message makes two anew", () => {
    const log = Array.from({ length: 10_000 }, (_, index) => later(index + 1, index * 1_000));
    const before = linesOf(log, [], "ada");
    const lines = linesOf([...log, later(10_001, 10_000_000)], [], "ada");
    const anew = lines.filter((line, index) => line !== before[index]);
    expect(anew.map((line) => line.message?.seq)).toEqual([10_000, 10_001]);
  });
});
