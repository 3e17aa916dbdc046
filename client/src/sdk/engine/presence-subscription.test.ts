import { expect, test } from "vitest";
import { type ClientFrame, type Conversation, WATCH_MAX } from "../protocol/generated";
import { createStore } from "../store/store";
import { FakeClock } from "../testing/fake-clock";
import { ADA, BOB } from "../testing/fake-server";
import { PresenceSubscription } from "./presence-subscription";

const people = Array.from({ length: WATCH_MAX + 50 }, (_, index) => `p${index}`);

function setUp(complete: boolean) {
  const store = createStore();
  const clock = new FakeClock();
  const sent: ClientFrame[] = [];
  store.dispatch({
    type: "session",
    session: { user: ADA, has_password: false, invisible: false },
  });
  const snapshot = { type: "presence" as const, version: 1, count: 9, complete, online: [] };
  store.dispatch({ type: "frame", frame: snapshot, now: 0 });
  const members = [ADA, BOB].map((user) => ({ user, delivered: 0, read: 0 }));
  const conversation: Conversation = {
    id: "c",
    members,
    last_seq: 0,
    last_at: null,
    last: null,
    unread: 0,
    pins: [],
  };
  store.dispatch({ type: "conversation", conversation });
  const watching = new PresenceSubscription(store, clock, (frame) => sent.push(frame) > 0);
  return { store, clock, sent, watching };
}

test("nobody is watched one by one while everyone is told of everyone", async () => {
  const { clock, sent, watching } = setUp(true);
  watching.show(people);
  await clock.pass(1_000);
  expect(sent).toEqual([]);
});

test("in crowds a burst of changes costs one frame, and no change none", async () => {
  const { clock, sent, watching } = setUp(false);
  for (let end = 1; end <= 10; end += 1) watching.show(people.slice(0, end));
  await clock.pass(1_000);
  watching.show(people.slice(0, 10));
  await clock.pass(1_000);
  expect(sent).toHaveLength(1);
  expect(sent[0]).toMatchObject({ list: true, users: [...people.slice(0, 10), BOB.id] });
});

test("whom one talks with is watched before the many", async () => {
  const { store, clock, sent, watching } = setUp(false);
  store.dispatch({ type: "opened", conversation: "c" });
  watching.show(people);
  await clock.pass(1_000);
  const [watch] = sent;
  if (watch?.type !== "watch") throw new Error("nothing was told");
  expect(watch.users).toHaveLength(WATCH_MAX);
  expect(watch.users[0]).toBe(BOB.id);
});
