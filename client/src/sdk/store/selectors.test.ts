import { describe, expect, test } from "vitest";
import { noteKnown, place, startLog } from "../engine/log";
import type { Chat } from "../engine/model";
import type { Entry } from "../engine/outbox";
import type { Message } from "../protocol/generated";
import { linesOf } from "./lines";
import { BACK_MAX, chatRows, firstUnread, reachesUnread, stateOf } from "./selectors";

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

describe("where a conversation opens", () => {
  const chat = (read: number, unread: number): Chat => ({
    id: "c",
    members: [
      { user: { id: "ada", name: "Ada" }, delivered: 9, read },
      { user: { id: "bob", name: "Bob" }, delivered: 9, read: 9 },
    ],
    last: null,
    unread,
  });
  /** Ada wrote the even ones, Bob the odd ones. */
  const log = (base: number, end: number) =>
    Array.from({ length: end - base }, (_, index) => base + index + 1)
      .map((seq) => message(seq, entry.writtenAt, seq % 2 === 0 ? "ada" : "bob"))
      .reduce(place, startLog(base));

  test("at the first message of somebody else that is not read", () => {
    expect(firstUnread(chat(0, 5), log(0, 9), "ada")).toBe(1);
    expect(firstUnread(chat(3, 3), log(0, 9), "ada")).toBe(5);
    expect(firstUnread(chat(3, 3), log(2, 9), "ada")).toBe(5);
    expect(firstUnread(chat(9, 0), log(5, 9), "ada")).toBeNull();
    expect(firstUnread(chat(9, 0), log(5, 10), "ada")).toBeNull();
  });

  test("once that is held, and everything after it", () => {
    expect(reachesUnread(chat(3, 3), log(3, 9), "ada")).toBe(true);
    expect(reachesUnread(chat(3, 3), log(4, 9), "ada")).toBe(false);
    expect(reachesUnread(chat(3, 3), noteKnown(log(3, 9), 10), "ada")).toBe(false);
    expect(reachesUnread(chat(9, 0), log(8, 9), "ada")).toBe(true);
    expect(reachesUnread(chat(0, 0), startLog(0), "ada")).toBe(true);
  });

  test("but no further back than the bound", () => {
    const end = BACK_MAX + 500;
    expect(reachesUnread(chat(0, 100), log(501, end), "ada")).toBe(false);
    expect(reachesUnread(chat(0, 100), log(500, end), "ada")).toBe(true);
    expect(firstUnread(chat(0, 100), log(500, end), "ada")).toBe(501);
  });
});

test("marks follow how far everybody else has got", () => {
  const [line] = linesOf([message(5, entry.writtenAt)], [], "ada");
  if (line === undefined) throw new Error("one message is one line");
  const state = (...positions: [number, number][]) =>
    stateOf(
      line,
      positions.map(([delivered, read]) => ({ user: { id: "b", name: "B" }, delivered, read })),
    );
  expect(state([4, 4])).toBe("stored");
  expect(state([5, 4])).toBe("delivered");
  expect(state([5, 5])).toBe("read");
  expect(state([9, 9], [5, 2])).toBe("delivered");
  expect(state()).toBe("stored");
});

const chat = (id: string, at?: string) => ({
  id,
  members: [],
  last: at === undefined ? null : message(1, at),
  unread: 0,
});

function rows(chats: readonly ReturnType<typeof chat>[], entries: readonly Entry[] = []) {
  return chatRows(new Map(chats.map((each) => [each.id, each])), entries).map(
    ({ chat, entry }) => [chat.id, entry?.clientId] as const,
  );
}

test("conversations are sorted by activity, empty ones left out", () => {
  const [monday, tuesday] = ["2026-11-22T12:00:00.000Z", "2026-11-23T12:00:00.000Z"];
  expect(rows([chat("a", monday), chat("b"), chat("c", tuesday)])).toEqual([
    ["c", undefined],
    ["a", undefined],
  ]);
});

test("the last message on its way is shown, and moves its conversation to the top", () => {
  const written = (clientId: string, conversation: string) => ({
    ...entry,
    clientId,
    conversation,
  });
  const chats = [chat("a", "2026-11-22T12:00:00.000Z"), chat("b"), chat("c", entry.writtenAt)];
  const entries = [written("1", "b"), written("2", "a"), written("3", "b"), written("4", "a")];
  expect(rows(chats, entries)).toEqual([
    ["a", "4"],
    ["b", "3"],
    ["c", undefined],
  ]);
});

test("a message that was refused is shown, and moves nothing", () => {
  const chats = [chat("a", "2026-11-22T12:00:00.000Z"), chat("c", "2026-11-23T12:00:00.000Z")];
  expect(rows(chats, [{ ...entry, conversation: "a", state: "failed" }])).toEqual([
    ["c", undefined],
    ["a", "m9"],
  ]);
});
