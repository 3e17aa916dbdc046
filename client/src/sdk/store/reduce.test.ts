import { describe, expect, test } from "vitest";
import type { Entry } from "../outbox/outbox";
import { type Content, type Conversation, type Event, UNREAD_MAX } from "../protocol/generated";
import { KEPT_MESSAGES } from "./conversations";
import { reduce } from "./reduce";
import { pinnedWith } from "./selectors";
import { INITIAL, type State } from "./state";

const ada = { id: "ada", name: "Ada" };
const bob = { id: "bob", name: "__proto__" };

function event(seq: number, content: Content, sender = bob.id): Event {
  const at = new Date(Date.UTC(2026, 10, 23) + seq * 1_000).toISOString();
  return { conversation: "c", seq, sender, client_id: `m${seq}`, at, ...content };
}

function message(seq: number, sender?: string): Event {
  return event(seq, { kind: "message", body: `text ${seq}` }, sender);
}

function conversation(last: number, read: number, unread = last - read): Conversation {
  const members = [
    { user: ada, delivered: read, read },
    { user: bob, delivered: 0, read: 0 },
  ];
  const newest = last > 0 ? message(last) : null;
  const of = { id: "c", members, last_seq: last, last_at: newest?.at ?? null, last: newest };
  return { ...of, unread, pins: [] };
}

function stateAfter(...events: Parameters<typeof reduce>[1][]): State {
  const session = { user: ada, has_password: false, invisible: false };
  return [{ type: "session" as const, session }, ...events].reduce(reduce, INITIAL);
}

const frameOf = (event: Event) => ({
  type: "frame" as const,
  frame: { type: "event" as const, ...event },
  now: 0,
});

const frame = (seq: number, sender?: string) => frameOf(message(seq, sender));

const pin = (seq: number, target: number, on = true) =>
  frameOf(event(seq, { kind: "pin", target, on }));

function entry(content: Content): Entry {
  const writtenAt = "2026-11-23T19:00:00.000Z";
  return { clientId: "x", conversation: "c", content, writtenAt, state: "waiting" };
}

const stored = (seq: number) => ({
  type: "frame" as const,
  frame: {
    type: "stored" as const,
    client_id: "x",
    conversation: "c",
    seq,
    at: "2026-11-23T19:00:01.000Z",
    duplicate: false,
  },
  now: 0,
});

describe("unread counts", () => {
  test("come from the log where it is held, else from the server", () => {
    expect(
      stateAfter({ type: "conversation", conversation: conversation(5, 5) }).conversations.get("c"),
    ).toMatchObject({ unread: 0 });
    expect(
      stateAfter({
        type: "conversation",
        conversation: conversation(500, 0, 100),
      }).conversations.get("c"),
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
    expect(state.conversations.get("c")?.unread).toBe(2);
  });

  test("an answer older than a live message does not take it back", () => {
    const state = stateAfter({ type: "conversation", conversation: conversation(5, 5) }, frame(6), {
      type: "conversation",
      conversation: conversation(5, 5),
    });
    expect(state.conversations.get("c")).toMatchObject({ unread: 1, last: { seq: 6 } });
  });

  test("stop at the bound", () => {
    const frames = Array.from({ length: 150 }, (_, index) => frame(index + 6));
    const state = stateAfter({ type: "conversation", conversation: conversation(5, 5) }, ...frames);
    expect(state.conversations.get("c")?.unread).toBe(UNREAD_MAX);
  });

  test("an old read position does not bring them back", () => {
    const state = stateAfter(
      { type: "conversation", conversation: conversation(5, 4) },
      { type: "seen", conversation: "c", seq: 5 },
      { type: "seen", conversation: "c", seq: 2 },
    );
    expect(state.conversations.get("c")).toMatchObject({
      unread: 0,
      members: [{ read: 5 }, { read: 0 }],
    });
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
  const state = stateAfter(
    { type: "conversation", conversation: conversation(5, 5) },
    { type: "written", entries: [entry({ kind: "message", body: "hello" })] },
    stored(6),
  );
  expect(state.outbox.entries).toEqual([]);
  expect(state.logs.get("c")?.messages.at(-1)).toMatchObject({
    seq: 6,
    body: "hello",
    sender: "ada",
  });
});

describe("changes", () => {
  test("are not unread, nor the last message, nor read by themselves", () => {
    const before = stateAfter(
      { type: "conversation", conversation: conversation(5, 4) },
      frame(6, ada.id),
    );
    const after = reduce(before, pin(7, 5));
    expect(after.conversations).toEqual(before.conversations);
    expect(after.logs.get("c")?.end).toBe(7);
    expect(reduce(after, frame(8)).conversations.get("c")?.unread).toBe(2);
  });

  test("leave somebody typing", () => {
    const typing = { type: "typing", conversation: "c", user: bob.id } as const;
    const state = stateAfter({ type: "frame", frame: typing, now: 0 }, pin(1, 1));
    expect(state.typing.get("c")?.has(bob.id)).toBe(true);
  });

  test("that end a conversation are part of how it is listed, and leave no gap", () => {
    const listed = { ...conversation(5, 5), last_seq: 9, pins: [3] };
    for (const read of [5, 9]) {
      const state = stateAfter({
        type: "conversation",
        conversation: { ...listed, members: [{ user: ada, delivered: read, read }] },
      });
      const log = state.logs.get("c");
      expect(log).toMatchObject({ base: 4, end: 9, known: 9, pins: { listed: [3], asOf: 9 } });
      expect(state.conversations.get("c")).toMatchObject({ unread: 0, last: { seq: 5 } });
    }
  });

  test("that are all there is leave a conversation without a last message", () => {
    const listed = { ...conversation(0, 0), last_seq: 3 };
    const state = stateAfter({ type: "conversation", conversation: listed });
    expect(state.logs.get("c")).toMatchObject({ base: 0, end: 3, known: 3 });
    expect(state.conversations.get("c")?.last).toBeNull();
  });
});

describe("pins", () => {
  const listed = (last: number, pins: number[]) => ({
    type: "conversation" as const,
    conversation: { ...conversation(last, last), pins },
  });
  const pinned = ({ logs, outbox }: State) => {
    const log = logs.get("c");
    return log && pinnedWith(log.pins, outbox.entries, "c");
  };

  test("are those of the conversation as listed, and follow what happens", () => {
    expect(pinned(stateAfter(listed(5, [4, 2])))).toEqual([4, 2]);
    expect(pinned(stateAfter(listed(5, [4, 2]), pin(6, 1), pin(7, 4, false)))).toEqual([2, 1]);
  });

  test("of an older answer, and events of before it, change nothing", () => {
    const state = stateAfter(listed(5, [4]), pin(6, 2), listed(5, [4]));
    expect(pinned(state)).toEqual([4, 2]);
    expect(pinned(stateAfter(listed(7, [4]), pin(6, 2), pin(7, 2, false)))).toEqual([4]);
  });

  test("change in the order of the numbers, whatever comes first", () => {
    const state = stateAfter(listed(5, []), pin(7, 1, false));
    expect(pinned(state)).toEqual([]);
    expect(pinned(reduce(state, pin(6, 1)))).toEqual([]);
  });

  test("show an own change at once, and as before when it is refused", () => {
    const off = entry({ kind: "pin", target: 4, on: false });
    const state = stateAfter(listed(5, [4]), { type: "written", entries: [off] });
    expect(pinned(state)).toEqual([]);
    const error = { type: "error", client_id: "x", code: "not_found", message: "No." } as const;
    const refused = reduce(state, { type: "frame", frame: error, now: 0 });
    expect(pinned(refused)).toEqual([4]);
    expect(refused.outbox.refused).toMatchObject({ clientId: "x", code: "not_found" });
    const done = reduce(state, stored(6));
    expect([pinned(done), done.outbox.entries]).toEqual([[], []]);
  });

  test("of an own change are those of the log, where its event comes before the answer", () => {
    const on = entry({ kind: "pin", target: 4, on: true });
    const own = { ...event(6, on.content, ada.id), client_id: "x" };
    const state = stateAfter(listed(5, []), { type: "written", entries: [on] }, frameOf(own));
    expect([pinned(state), state.outbox.entries]).toEqual([[4], []]);
    expect(pinned(reduce(state, stored(6)))).toEqual([4]);
  });
});

test("another user starts from nothing, the same one from what is held", () => {
  const state = stateAfter({ type: "conversation", conversation: conversation(5, 5) });
  const again = reduce(state, {
    type: "session",
    session: { user: ada, has_password: true, invisible: false },
  });
  expect(again.conversations.size).toBe(1);
  const other = reduce(state, {
    type: "session",
    session: { user: bob, has_password: false, invisible: false },
  });
  expect(other.conversations.size).toBe(0);
});

test("names are data, whatever they are called", () => {
  const state = stateAfter({ type: "conversation", conversation: conversation(1, 1) });
  expect(state.people.get("bob")?.name).toBe("__proto__");
});
