import { IDBFactory } from "fake-indexeddb";
import "fake-indexeddb/auto";
import { openDB } from "idb";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Entry } from "../sdk/outbox/outbox";
import { IndexedDbOutbox } from "./outbox-storage";

const live = new Set<string>();

beforeEach(() => {
  globalThis.indexedDB = new IDBFactory();
  live.clear();
});

afterEach(() => vi.restoreAllMocks());

function page(name: string): IndexedDbOutbox {
  live.add(name);
  return new IndexedDbOutbox(name, async () => live);
}

function entry(clientId: string, state: Entry["state"] = "waiting"): Entry {
  const writtenAt = "2026-11-23T19:00:00.000Z";
  const content = { kind: "message", body: `text ${clientId}` } as const;
  return { clientId, conversation: "c", content, writtenAt, state };
}

test("what a page wrote is there after a reload, in order, to be sent again", async () => {
  const before = page("one");
  await before.put("ada", [entry("1", "sent")]);
  await before.put("ada", [entry("2"), entry("3")]);
  await before.delete(["2"]);
  live.delete("one");
  expect(await page("two").adopt("ada")).toEqual([entry("1"), entry("3")]);
});

test("a change is stored as a message is", async () => {
  const pin: Entry = { ...entry("1"), content: { kind: "pin", target: 7, on: false } };
  await page("one").put("ada", [pin, entry("2")]);
  live.delete("one");
  expect(await page("two").adopt("ada")).toEqual([pin, entry("2")]);
});

test("what an earlier version of the client has stored is read", async () => {
  // Makes the database, which is the same.
  await page("one").put("ada", [entry("2")]);
  const database = await openDB("tidings");
  const { content: _content, ...rest } = entry("1");
  const place = { user: "ada", page: "one", order: 1 };
  await database.put("outbox", { ...rest, body: "text 1", ...place });
  await database.put("outbox", {
    ...rest,
    ...place,
    clientId: "0",
    body: "Refused",
    state: "failed",
    code: "text_too_long",
    reason: "Too long.",
  });
  database.close();
  live.delete("one");
  expect(await page("two").adopt("ada")).toEqual([
    {
      ...rest,
      clientId: "0",
      content: { kind: "message", body: "Refused" },
      state: "failed",
      code: "text_too_long",
      reason: "Too long.",
    },
    entry("1"),
    entry("2"),
  ]);
});

test("f22: a clock that is set back leaves the order of writing", async () => {
  const clock = vi.spyOn(Date, "now");
  const hour = 3_600_000;
  let written = 9;
  for (const name of ["one", "two", "three"]) {
    const here = page(name);
    const found = await here.adopt("ada");
    // As an engine does with what it takes over.
    if (found.length > 0) await here.put("ada", found);
    for (const ms of [10 * hour, 9 * hour, 8 * hour]) {
      clock.mockReturnValue(ms);
      // Names as of clocks that go back: each below the one before.
      written -= 1;
      await here.put("ada", [entry(`${written}`)]);
    }
    live.delete(name);
  }
  const found = await page("last").adopt("ada");
  expect(found.map(({ clientId }) => clientId).join("")).toBe("876543210");
});

test("entries of a page that is open are left to it", async () => {
  await page("one").put("ada", [entry("1")]);
  expect(await page("two").adopt("ada")).toEqual([]);
});

test("two pages that look at once do not take the same entry", async () => {
  await page("one").put("ada", [entry("1"), entry("2")]);
  live.delete("one");
  const [two, three] = [page("two"), page("three")];
  const taken = await Promise.all([two.adopt("ada"), three.adopt("ada")]);
  expect(taken.flat()).toHaveLength(2);
});

test("each user has an outbox, and only the own one is cleared", async () => {
  await page("one").put("ada", [entry("1")]);
  await page("one").put("bob", [entry("2")]);
  await page("one").clear("ada");
  live.delete("one");
  expect(await page("two").adopt("ada")).toEqual([]);
  expect(await page("two").adopt("bob")).toEqual([entry("2")]);
});

test("a failed one keeps its reason", async () => {
  const failed: Entry = {
    ...entry("1"),
    state: "failed",
    reason: "Too long.",
    code: "text_too_long",
  };
  await page("one").put("ada", [failed]);
  live.delete("one");
  expect(await page("two").adopt("ada")).toEqual([failed]);
});
