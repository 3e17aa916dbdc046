import { expect, test } from "vitest";
import type { Entry } from "../outbox/outbox";
import { entry, message } from "../testing/messages";
import { notePins, startLog } from "../timeline/log";
import { rowsOf } from "../timeline/rows";
import { conversationListRows, deliveryStateOf, pinnedWith } from "./selectors";

test("marks follow how far everybody else has got", () => {
  const log = { base: 4, messages: [message(5, entry.writtenAt)] };
  const [row] = rowsOf(log, [], "ada");
  if (row === undefined) throw new Error("one message is one row");
  const state = (...positions: [number, number][]) =>
    deliveryStateOf(
      row,
      positions.map(([delivered, read]) => ({ user: { id: "b", name: "B" }, delivered, read })),
    );
  expect(state([4, 4])).toBe("stored");
  expect(state([5, 4])).toBe("delivered");
  expect(state([5, 5])).toBe("read");
  expect(state([9, 9], [5, 2])).toBe("delivered");
  expect(state()).toBe("stored");
});

const conversation = (id: string, at?: string) => ({
  id,
  members: [],
  last: at === undefined ? null : message(1, at),
  unread: 0,
});

function rows(
  conversations: readonly ReturnType<typeof conversation>[],
  entries: readonly Entry[] = [],
) {
  return conversationListRows(new Map(conversations.map((each) => [each.id, each])), entries).map(
    ({ conversation, entry }) => [conversation.id, entry?.clientId] as const,
  );
}

test("conversations are sorted by activity, those just opened first", () => {
  const [monday, tuesday] = ["2026-11-22T12:00:00.000Z", "2026-11-23T12:00:00.000Z"];
  expect(rows([conversation("a", monday), conversation("b"), conversation("c", tuesday)])).toEqual([
    ["b", undefined],
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
  const conversations = [
    conversation("a", "2026-11-22T12:00:00.000Z"),
    conversation("b"),
    conversation("c", entry.writtenAt),
  ];
  const entries = [written("1", "b"), written("2", "a"), written("3", "b"), written("4", "a")];
  expect(rows(conversations, entries)).toEqual([
    ["a", "4"],
    ["b", "3"],
    ["c", undefined],
  ]);
});

test("a change on its way is not shown in the list, and moves nothing", () => {
  const conversations = [
    conversation("a", "2026-11-22T12:00:00.000Z"),
    conversation("c", "2026-11-23T12:00:00.000Z"),
  ];
  const pin = {
    ...entry,
    conversation: "a",
    content: { kind: "pin", target: 1, on: true },
  } as const;
  expect(rows(conversations, [pin])).toEqual([
    ["c", undefined],
    ["a", undefined],
  ]);
});

test("own pins on their way show in the order of writing, each in its conversation", () => {
  const { pins } = notePins(startLog(9), [3, 5], 9);
  const pin = (target: number, on: boolean, conversation = "c"): Entry => ({
    ...entry,
    conversation,
    content: { kind: "pin", target, on },
  });
  const entries = [pin(7, true), entry, pin(3, false), pin(1, true, "d"), pin(3, true)];
  expect(pinnedWith(pins, entries, "c")).toEqual([5, 7, 3]);
  expect(pinnedWith(pins, [], "c")).toEqual([3, 5]);
});

test("a message that was refused is shown, and moves nothing", () => {
  const conversations = [
    conversation("a", "2026-11-22T12:00:00.000Z"),
    conversation("c", "2026-11-23T12:00:00.000Z"),
  ];
  expect(rows(conversations, [{ ...entry, conversation: "a", state: "failed" }])).toEqual([
    ["c", undefined],
    ["a", "m9"],
  ]);
});
