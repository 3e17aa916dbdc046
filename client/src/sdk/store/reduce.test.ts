import { describe, expect, test } from "vitest";
import { UNREAD_MAX } from "../engine/model";
import type { Conversation, Message } from "../protocol/generated";
import { KEPT_MESSAGES } from "./chats";
import { reduce } from "./reduce";
import { INITIAL, type State } from "./state";

const ada = { id: "ada", name: "Ada" };
const bob = { id: "bob", name: "__proto__" };

function message(seq: number, sender = bob.id): Message {
  const at = new Date(Date.UTC(2026, 10, 23) + seq * 1_000).toISOString();
  return { conversation: "c", seq, sender, client_id: `m${seq}`, at, body: `text ${seq}` };
}

function conversation(last: number, read: number, unread = last - read): Conversation {
  const members = [
    { user: ada, delivered: read, read },
    { user: bob, delivered: 0, read: 0 },
  ];
  return { id: "c", members, last_seq: last, last: last > 0 ? message(last) : null, unread };
}

function stateAfter(...events: Parameters<typeof reduce>[1][]): State {
  const session = { user: ada, has_password: false, invisible: false };
  return [{ type: "session" as const, session }, ...events].reduce(reduce, INITIAL);
}

const frame = (seq: number, sender?: string) => ({
  type: "frame" as const,
  frame: { type: "message" as const, ...message(seq, sender) },
  now: 0,
});

describe("unread counts", () => {
  test("come from the log where it is held, else from the server", () => {
    expect(
      stateAfter({ type: "conversation", conversation: conversation(5, 5) }).chats.get("c"),
    ).toMatchObject({ unread: 0 });
    expect(
      stateAfter({ type: "conversation", conversation: conversation(500, 0, 100) }).chats.get("c"),
    ).toMatchObject({ unread: 100 });
  });

  test("grow with messages of others only, and never twice", () => {
    const state = stateAfter(
      { type: "conversation", conversation: conversation(5, 5) },
      frame(6),
      frame(6),
      frame(7, ada.id),
      frame(8),
    );
    expect(state.chats.get("c")?.unread).toBe(2);
  });

  test("an answer older than a live message does not take it back", () => {
    const state = stateAfter({ type: "conversation", conversation: conversation(5, 5) }, frame(6), {
      type: "conversation",
      conversation: conversation(5, 5),
    });
    expect(state.chats.get("c")).toMatchObject({ unread: 1, last: { seq: 6 } });
  });

  test("stop at the bound", () => {
    const frames = Array.from({ length: 150 }, (_, index) => frame(index + 6));
    const state = stateAfter({ type: "conversation", conversation: conversation(5, 5) }, ...frames);
    expect(state.chats.get("c")?.unread).toBe(UNREAD_MAX);
  });

  test("an old read position does not bring them back", () => {
    const state = stateAfter(
      { type: "conversation", conversation: conversation(5, 4) },
      { type: "seen", conversation: "c", seq: 5 },
      { type: "seen", conversation: "c", seq: 2 },
    );
    expect(state.chats.get("c")).toMatchObject({ unread: 0, members: [{ read: 5 }, { read: 0 }] });
  });
});

test("logs that nobody looks at are bounded, the open one is not", () => {
  const many = Array.from({ length: KEPT_MESSAGES * 3 }, (_, index) => frame(index + 1));
  const conversationEvent = { type: "conversation" as const, conversation: conversation(0, 0) };
  const closed = stateAfter(conversationEvent, ...many);
  expect(closed.logs.get("c")?.messages.length).toBeLessThanOrEqual(KEPT_MESSAGES * 2);
  const open = stateAfter(conversationEvent, { type: "opened", conversation: "c" }, ...many);
  expect(open.logs.get("c")?.messages).toHaveLength(KEPT_MESSAGES * 3);
  const read = reduce(open, { type: "at_end", conversation: "c" });
  expect(read.logs.get("c")?.messages).toHaveLength(KEPT_MESSAGES);
  expect(reduce(read, { type: "at_end", conversation: "c" })).toBe(read);
  const left = reduce(open, { type: "opened", conversation: null });
  expect(left.logs.get("c")?.messages).toHaveLength(KEPT_MESSAGES);
});

test("the own message moves from the outbox to the log in one step", () => {
  const entry = {
    clientId: "x",
    conversation: "c",
    body: "hello",
    writtenAt: "2026-11-23T19:00:00.000Z",
    state: "waiting" as const,
  };
  const stored = {
    type: "stored" as const,
    client_id: "x",
    conversation: "c",
    seq: 6,
    at: "2026-11-23T19:00:01.000Z",
    duplicate: false,
  };
  const state = stateAfter(
    { type: "conversation", conversation: conversation(5, 5) },
    { type: "written", entries: [entry] },
    { type: "frame", frame: stored, now: 0 },
  );
  expect(state.outbox.entries).toEqual([]);
  expect(state.logs.get("c")?.messages.at(-1)).toMatchObject({
    seq: 6,
    body: "hello",
    sender: "ada",
  });
});

test("another user starts from nothing, the same one from what is held", () => {
  const state = stateAfter({ type: "conversation", conversation: conversation(5, 5) });
  const again = reduce(state, {
    type: "session",
    session: { user: ada, has_password: true, invisible: false },
  });
  expect(again.chats.size).toBe(1);
  const other = reduce(state, {
    type: "session",
    session: { user: bob, has_password: false, invisible: false },
  });
  expect(other.chats.size).toBe(0);
});

test("names are data, whatever they are called", () => {
  const state = stateAfter({ type: "conversation", conversation: conversation(1, 1) });
  expect(state.people.get("bob")?.name).toBe("__proto__");
});
