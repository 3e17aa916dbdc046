import { expect, test } from "vitest";
import { IDLE_MS } from "../engine/idle";
import type { ServerFrame } from "../protocol/generated";
import { FakePage } from "../testing/fake-page";
import { CONVERSATION } from "../testing/fake-server";
import { reduce } from "./reduce";
import { lastSeenOf, selectInvisible, statusOf } from "./selectors";
import { INITIAL, type State } from "./state";

const ada = { id: "ada", name: "Ada" };
const bob = { id: "bob", name: "Bob" };

const online = (...away: string[]): ServerFrame => ({
  type: "presence",
  version: 1,
  count: 2,
  complete: true,
  online: [ada, bob],
  away,
});

const left: ServerFrame = {
  type: "presence_diff",
  version: 2,
  count: 1,
  joins: [],
  leaves: [bob.id],
};

function after(...events: Parameters<typeof reduce>[1][]): State {
  const session = { user: ada, has_password: false, invisible: false };
  return [{ type: "session" as const, session }, ...events].reduce(reduce, INITIAL);
}

const frame = (what: ServerFrame) => ({ type: "frame" as const, frame: what, now: 0 });

function described(last_seen?: string) {
  const seen = last_seen === undefined ? {} : { last_seen };
  const members = [
    { user: ada, delivered: 0, read: 0 },
    { user: bob, delivered: 0, read: 0, ...seen },
  ];
  const conversation = {
    id: "c",
    members,
    last_seq: 0,
    last_at: null,
    last: null,
    unread: 0,
    pins: [],
  };
  return { type: "conversation" as const, conversation };
}

test("somebody is online, away or offline, or it is not known", () => {
  expect(statusOf(after().presence, bob.id)).toBe("unknown");
  expect(statusOf(after(frame(online())).presence, bob.id)).toBe("online");
  expect(statusOf(after(frame(online(bob.id))).presence, bob.id)).toBe("away");
  expect(statusOf(after(frame(online(bob.id)), frame(left)).presence, bob.id)).toBe("offline");
});

test("last seen is the latest that is known, and told of those offline only", () => {
  const early = "2026-11-23T19:00:00.000Z";
  const late = "2026-11-23T20:00:00.000Z";
  const gone = { type: "leaving" as const, users: [bob.id], at: late };
  const state = after(frame(online()), described(early), gone, frame(left), described(early));
  expect(lastSeenOf(state, bob.id)).toBe(late);
  expect(lastSeenOf(state, ada.id)).toBeNull();
  expect(lastSeenOf(after(frame(online()), described(early)), bob.id)).toBeNull();
  expect(lastSeenOf(after(described(early)), bob.id)).toBeNull();
  expect(lastSeenOf(after(frame(online()), frame(left), described()), bob.id)).toBeNull();
});

test("who leaves is not writing any more, and others are", () => {
  const typing = (user: string) =>
    frame({ type: "typing" as const, conversation: CONVERSATION, user });
  const gone = { type: "leaving" as const, users: [bob.id], at: "2026-11-23T20:00:00.000Z" };
  const state = after(typing(bob.id), typing("eve"), gone);
  expect([...(state.typing.get(CONVERSATION)?.keys() ?? [])]).toEqual(["eve"]);
});

test("the own choice is known from the session, from hello and from other devices", () => {
  const session = { user: ada, has_password: false, invisible: true };
  expect(selectInvisible(after({ type: "session", session }))).toBe(true);
  const chosen = frame({ type: "visibility", invisible: true });
  expect(selectInvisible(after(chosen))).toBe(true);
  const { limits } = INITIAL;
  const welcome = { type: "welcome", user: ada, epoch: "e", limits, invisible: false } as const;
  expect(selectInvisible(after(chosen, frame(welcome)))).toBe(false);
  const state = after(chosen);
  expect(reduce(state, { type: "visibility", invisible: true })).toBe(state);
});

test("a page that is left alone says so, once, and again after a reconnect", async () => {
  const page = await new FakePage().open();
  const alone = async () => {
    for (let ms = 0; ms < IDLE_MS; ms += 1_000) await page.rest();
  };
  const { idle } = page.server;
  page.engine.touch();
  await alone();
  await alone();
  expect(idle).toEqual([false, true]);
  page.sockets.last.end(1006);
  await page.clock.pass(1_000);
  await page.connect();
  expect(idle).toEqual([false, true, true]);
  page.engine.touch();
  page.engine.touch();
  await page.rest();
  expect(idle).toEqual([false, true, true, false]);
});

test("the page notes when it sees somebody leave", async () => {
  const page = await new FakePage().open();
  page.sockets.last.receive(online(), left);
  expect(lastSeenOf(page.state, bob.id)).toBe("2026-11-23T19:00:00.000Z");
});
