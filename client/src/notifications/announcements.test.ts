import { describe, expect, test } from "vitest";
import { EMPTY_OUTBOX, type Entry } from "../sdk/outbox/outbox";
import type { Message } from "../sdk/protocol/message";
import { INITIAL, type State } from "../sdk/store/state";
import { FakeClock } from "../sdk/testing/fake-clock";
import { Announcements, KEPT_MS, sentenceOf, TOGETHER_MS } from "./announcements";

const heard = (from: string, excerpt = "Hello") => ({ from, excerpt });

describe("what is said", () => {
  test("of one message is who wrote it, and how it begins", () => {
    expect(sentenceOf([heard("Bob", "Are you there?")])).toBe("Bob: Are you there?");
  });

  test("of several is how many, and the last of them if they are of one sender", () => {
    const ones = [heard("Bob"), heard("Bob"), heard("Bob", "Bye")];
    expect(sentenceOf(ones)).toBe("3 new messages from Bob. The last: Bye");
  });

  test("of many senders is how many, and their names if they are few", () => {
    expect(sentenceOf([heard("Bob"), heard("Eve"), heard("Bob")])).toBe(
      "3 new messages from Bob and Eve",
    );
    const crowd = Array.from({ length: 40 }, (_, index) => heard(`User ${index % 20}`));
    expect(sentenceOf(crowd)).toBe("40 new messages from 20 people");
  });
});

const bob = { id: "bob", name: "Bob" };
const state: State = { ...INITIAL, people: new Map([[bob.id, bob]]) };

const message = (body: string, sender = bob.id): Message => ({
  conversation: "c",
  seq: 1,
  sender,
  client_id: body,
  at: "2026-11-23T12:00:00.000Z",
  kind: "message",
  body,
});

function setUp() {
  const clock = new FakeClock();
  const announcements = new Announcements(clock);
  const said: string[] = [];
  announcements.subscribe(() => said.push(announcements.get().says));
  return { clock, announcements, said };
}

test("what comes together is said together, and not again", async () => {
  const { clock, announcements, said } = setUp();
  for (const body of ["1", "2", "3"]) announcements.hear(message(body), state);
  announcements.hear(message("of nobody known", "eve"), state);
  expect(said).toEqual([]);
  await clock.pass(TOGETHER_MS);
  expect(said).toEqual(["3 new messages from Bob. The last: 3"]);
  announcements.hear(message("4"), state);
  await clock.pass(TOGETHER_MS);
  expect(said.slice(1)).toEqual(["Bob: 4"]);
});

test("the same twice is another announcement, and is forgotten in the end", async () => {
  const { clock, announcements, said } = setUp();
  announcements.hear(message("Hm"), state);
  await clock.pass(TOGETHER_MS);
  const first = announcements.get();
  announcements.hear(message("Hm"), state);
  await clock.pass(TOGETHER_MS);
  expect(announcements.get().says).toBe(first.says);
  expect(announcements.get().number).not.toBe(first.number);
  await clock.pass(KEPT_MS);
  expect(said).toEqual(["Bob: Hm", "Bob: Hm", ""]);
});

test("what could not be sent is said once", () => {
  const { announcements, said } = setUp();
  const entry: Entry = {
    clientId: "x",
    conversation: "c",
    content: { kind: "message", body: "Hi" },
    writtenAt: "2026-11-23T12:00:00.000Z",
    state: "sent",
  };
  const withEntries = (...entries: Entry[]): State => ({
    ...state,
    outbox: { ...EMPTY_OUTBOX, entries },
  });
  const failed = withEntries({ ...entry, state: "failed" });
  announcements.follow(withEntries(entry), failed);
  announcements.follow(failed, withEntries({ ...entry, state: "failed" }, entry));
  // A toast tells of changes that were refused.
  const pin: Entry = { ...entry, content: { kind: "pin", target: 1, on: true } };
  announcements.follow(withEntries(pin), {
    ...state,
    outbox: {
      ...EMPTY_OUTBOX,
      refused: { ...pin, state: "failed", code: "not_found", reason: "No." },
    },
  });
  expect(said).toEqual(["Not sent: Hi"]);
});
