import { IDBFactory } from "fake-indexeddb";
import "fake-indexeddb/auto";
import { beforeEach, expect, test } from "vitest";
import type { Head, KeptChat } from "../sdk/engine/snapshot";
import { ADA, BOB, LIMITS } from "../sdk/testing/fake-server";
import { IndexedDbSnapshots } from "./snapshot-storage";

const HEAD: Head = { me: ADA, hasPassword: false, invisible: false, epoch: "one", limits: LIMITS };

beforeEach(() => {
  globalThis.indexedDB = new IDBFactory();
});

function chat(id: string): KeptChat {
  const message = {
    conversation: id,
    seq: 8,
    sender: BOB.id,
    client_id: `${id} 8`,
    at: "2026-11-23T19:00:00.000Z",
    body: "Hello",
  };
  const members = [ADA, BOB].map((user) => ({ user, delivered: 8, read: 7 }));
  return {
    epoch: "one",
    base: 7,
    messages: [message],
    chat: { id, members, last: message, unread: 1 },
  };
}

async function owned(): Promise<IndexedDbSnapshots> {
  const storage = new IndexedDbSnapshots();
  await storage.own(ADA.id);
  await storage.write(HEAD, [chat("a"), chat("b")], []);
  return storage;
}

test("another page finds what was kept, and what was dropped is gone", async () => {
  await (await owned()).write(HEAD, [chat("c")], ["b"]);
  expect(await new IndexedDbSnapshots().read()).toEqual({
    head: HEAD,
    chats: [chat("a"), chat("c")],
  });
});

test("a browser that has kept nothing gives nothing", async () => {
  expect(await new IndexedDbSnapshots().read()).toBeNull();
});

test("who logs in clears what is another's, and never sees what that one writes", async () => {
  const storage = await owned();
  await new IndexedDbSnapshots().own(BOB.id);
  expect(await storage.read()).toBeNull();
  await storage.write(HEAD, [chat("a")], []);
  expect(await storage.read()).toBeNull();
  await new IndexedDbSnapshots().own(BOB.id);
  // The end of the one's session does not touch what is the other's.
  await storage.write({ ...HEAD, me: BOB }, [chat("d")], []);
  await storage.clear(ADA.id);
  expect((await storage.read())?.chats).toEqual([chat("d")]);
});

test("a log-out clears everything", async () => {
  const storage = await owned();
  await storage.clear(ADA.id);
  expect(await storage.read()).toBeNull();
  await storage.write(HEAD, [chat("a")], []);
  expect(await storage.read()).toBeNull();
});

test("the same user's stays", async () => {
  const storage = await owned();
  await storage.own(ADA.id);
  expect((await storage.read())?.chats).toHaveLength(2);
});
