import { IDBFactory } from "fake-indexeddb";
import "fake-indexeddb/auto";
import { openDB } from "idb";
import { beforeEach, expect, test } from "vitest";
import type { SnapshotHead, StoredConversation } from "../sdk/store/snapshot";
import { ADA, BOB, LIMITS } from "../sdk/testing/fake-server";
import { ONLY, openSnapshots } from "./snapshot-database";
import { IndexedDbSnapshots } from "./snapshot-storage";

const HEAD: SnapshotHead = {
  me: ADA,
  hasPassword: false,
  invisible: false,
  epoch: "one",
  limits: LIMITS,
};

beforeEach(() => {
  globalThis.indexedDB = new IDBFactory();
});

function conversation(id: string): StoredConversation {
  const message = {
    conversation: id,
    seq: 8,
    sender: BOB.id,
    client_id: `${id} 8`,
    at: "2026-11-23T19:00:00.000Z",
    kind: "message",
    body: "Hello",
  } as const;
  const members = [ADA, BOB].map((user) => ({ user, delivered: 8, read: 7 }));
  const pins = { listed: [3, 8], asOf: 9, changes: [] };
  return {
    epoch: "one",
    log: { base: 7, end: 9, endAt: null, messages: [message], pins },
    chat: { id, members, last: message, unread: 1 },
  };
}

async function owned(): Promise<IndexedDbSnapshots> {
  const storage = new IndexedDbSnapshots();
  await storage.own(ADA.id);
  await storage.write(HEAD, [conversation("a"), conversation("b")], []);
  return storage;
}

test("another page finds what was kept, and what was dropped is gone", async () => {
  await (await owned()).write(HEAD, [conversation("c")], ["b"]);
  expect(await new IndexedDbSnapshots().read()).toEqual({
    head: HEAD,
    conversations: [conversation("a"), conversation("c")],
  });
});

test("a browser that has kept nothing gives nothing", async () => {
  expect(await new IndexedDbSnapshots().read()).toBeNull();
});

test("conversations of an earlier version of the client are dropped, and nothing else", async () => {
  const { log, ...rest } = conversation("a");
  const earlier = await openDB("tidings-kept", 1, {
    upgrade(database) {
      for (const name of ["chats", "owner", "head", "wishes"]) database.createObjectStore(name);
    },
  });
  const preferences = { user: ADA.id, instead: null, sound: true };
  await earlier.put("owner", ADA.id, ONLY);
  await earlier.put("head", HEAD, ADA.id);
  await earlier.put("wishes", preferences, ONLY);
  await earlier.put("chats", { ...rest, base: 7, messages: log.messages }, [ADA.id, "a"]);
  earlier.close();
  const storage = new IndexedDbSnapshots();
  expect(await storage.read()).toEqual({ head: HEAD, conversations: [] });
  await storage.write(HEAD, [conversation("b")], []);
  expect((await storage.read())?.conversations).toEqual([conversation("b")]);
  const database = await openSnapshots();
  expect(await database.get("wishes", ONLY)).toEqual(preferences);
});

test("who logs in clears what is another's, and never sees what that one writes", async () => {
  const storage = await owned();
  await new IndexedDbSnapshots().own(BOB.id);
  expect(await storage.read()).toBeNull();
  await storage.write(HEAD, [conversation("a")], []);
  expect(await storage.read()).toBeNull();
  await new IndexedDbSnapshots().own(BOB.id);
  // The end of the one's session does not touch what is the other's.
  await storage.write({ ...HEAD, me: BOB }, [conversation("d")], []);
  await storage.clear(ADA.id);
  expect((await storage.read())?.conversations).toEqual([conversation("d")]);
});

test("a log-out clears everything", async () => {
  const storage = await owned();
  await storage.clear(ADA.id);
  expect(await storage.read()).toBeNull();
  await storage.write(HEAD, [conversation("a")], []);
  expect(await storage.read()).toBeNull();
});

test("the same user's stays", async () => {
  const storage = await owned();
  await storage.own(ADA.id);
  expect((await storage.read())?.conversations).toHaveLength(2);
});
