import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { readDraft, writeDraft } from "../../platform/drafts";
import type { Content } from "../../sdk/protocol/generated";
import { createStore } from "../../sdk/store/store";
import { discardLeftovers, followLeftovers, readLeftovers } from "./leftovers";
import { keepLeftovers, offeredLeftovers } from "./offered-leftovers";

const ADA = { id: "a", name: "Ada" };
const BOB = { id: "b", name: "Bob" };

/** As a browser's: what is kept is also a property. */
const storage = () =>
  Object.create({
    getItem(key: string) {
      return (this as Record<string, string>)[key] ?? null;
    },
    setItem(key: string, value: string) {
      (this as Record<string, string>)[key] = value;
    },
    removeItem(key: string) {
      delete (this as Record<string, string>)[key];
    },
  });

beforeEach(() => {
  vi.stubGlobal("localStorage", storage());
});
afterEach(() => vi.unstubAllGlobals());

function browser() {
  const store = createStore();
  const discarded: string[] = [];
  followLeftovers(store, (user) => discarded.push(user));
  const enter = (user: typeof ADA) =>
    store.dispatch({ type: "session", session: { user, has_password: true, invisible: false } });
  const write = (clientId: string, content: Content) => {
    const writtenAt = "2026-11-23T12:00:00.000Z";
    const entry = { clientId, conversation: "c", content, writtenAt, state: "waiting" } as const;
    store.dispatch({ type: "written", entries: [entry] });
  };
  const end = (loggedOut: boolean) => store.dispatch({ type: "anonymous", loggedOut });
  return { enter, write, end, discarded };
}

test("what somebody was writing is offered when the session ended elsewhere", () => {
  const { enter, end, discarded } = browser();
  enter(ADA);
  writeDraft("a", "c", "Not sent yet");
  end(true);
  expect(offeredLeftovers()).toMatchObject({ left: { user: ADA, unsent: 0 }, drafts: 1 });
  const left = readLeftovers();
  if (left === null) throw new Error("it is kept");
  keepLeftovers(left);
  expect(offeredLeftovers()).toBeNull();
  enter(ADA);
  expect([readLeftovers(), readDraft("a", "c"), discarded]).toEqual([null, "Not sent yet", []]);
});

test("messages that were not sent are counted, and changes are not", () => {
  const { enter, write, end } = browser();
  enter(ADA);
  write("1", { kind: "message", body: "Hello" });
  write("2", { kind: "pin", target: 1, on: true });
  end(true);
  expect(offeredLeftovers()).toMatchObject({ left: { user: ADA, unsent: 1 }, drafts: 0 });
  enter(ADA);
  write("3", { kind: "pin", target: 1, on: true });
  end(true);
  expect(offeredLeftovers()).toBeNull();
});

test("it is gone when that is chosen, or when somebody else logs in", () => {
  const { enter, end, discarded } = browser();
  enter(ADA);
  writeDraft("a", "c", "One");
  end(true);
  const left = readLeftovers();
  if (left !== null) discardLeftovers(left, (user) => discarded.push(user));
  expect([readLeftovers(), readDraft("a", "c"), discarded]).toEqual([null, "", ["a"]]);

  enter(ADA);
  writeDraft("a", "c", "Two");
  end(true);
  enter(BOB);
  expect([readLeftovers(), readDraft("a", "c"), discarded]).toEqual([null, "", ["a", "a"]]);
});

test("nothing is offered after a log-out, nor when nothing was being written", () => {
  const { enter, end } = browser();
  enter(ADA);
  end(true);
  expect(offeredLeftovers()).toBeNull();
  expect(readLeftovers()?.user).toEqual(ADA);
  enter(ADA);
  writeDraft("a", "c", "Draft");
  end(false);
  expect([offeredLeftovers(), readLeftovers()]).toEqual([null, null]);
});
