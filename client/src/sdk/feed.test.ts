import { expect, test } from "vitest";
import { ApiError } from "./connection/api";
import { Feed } from "./feed";
import type { Message } from "./protocol/message";
import { FakePage } from "./testing/fake-page";
import { FakeApi, FakeServer, frameOf } from "./testing/fake-server";

/** A page whose messages are given to `listener`. */
function feed(page: FakePage, listener: (message: Message) => unknown, api = apiOf(page)) {
  const seen = (conversation: string, seq: number) => page.engine.seen(conversation, seq);
  const made = new Feed({ store: page.store, api, seen }, listener);
  page.store.subscribe(() => made.look());
  made.look();
}

const apiOf = (page: FakePage) => new FakeApi(page.server);
const readBy = (page: FakePage) => page.server.conversation().members[0]?.read;

test("what is unread comes first, then what comes in, each once and in order", async () => {
  const server = new FakeServer();
  server.fromBob(3);
  const page = await new FakePage(server).open();
  const given: number[] = [];
  feed(page, ({ seq }) => given.push(seq));
  await page.rest();
  page.sockets.last.receive(...server.fromBob(2).map(frameOf));
  await page.rest();
  expect(given).toEqual([1, 2, 3, 4, 5]);
  expect(readBy(page)).toBe(5);
});

test("changes between messages are passed over, and nothing is asked for because of them", async () => {
  const server = new FakeServer();
  server.fromBob(2);
  server.pinnedByBob(1);
  server.hide();
  const page = await new FakePage(server).open();
  const given: number[] = [];
  feed(page, ({ seq }) => given.push(seq));
  await page.rest();
  const asked = server.asked.length;
  page.sockets.last.receive(frameOf(server.pinnedByBob(2)), ...server.fromBob(1).map(frameOf));
  page.sockets.last.receive(frameOf(server.fromTheFuture()), ...server.fromBob(1).map(frameOf));
  await page.rest();
  expect(given).toEqual([1, 2, 6, 8]);
  expect(server.asked.slice(asked)).toEqual([]);
});

test("a long absence is paged through from the first unread message", async () => {
  const server = new FakeServer();
  server.fromBob(1_000);
  for (let round = 0; round < 30; round += 1) server.pinnedByBob(round + 1);
  server.fromBob(234);
  const page = await new FakePage(server).open();
  const given: number[] = [];
  feed(page, ({ seq }) => given.push(seq));
  await page.rest();
  expect(given).toEqual(server.messages.map(({ seq }) => seq));
});

test("the next message waits for the listener, and only what it returned from is read", async () => {
  const server = new FakeServer();
  server.fromBob(3);
  const page = await new FakePage(server).open();
  const waiting: (() => void)[] = [];
  feed(page, () => new Promise<void>((done) => waiting.push(done)));
  await page.rest();
  expect([waiting.length, readBy(page)]).toEqual([1, 0]);
  waiting[0]?.();
  await page.rest();
  expect([waiting.length, readBy(page)]).toEqual([2, 1]);
});

test("the own messages are not news", async () => {
  const page = await new FakePage().open();
  page.server.fromBob(1);
  await page.engine.openWith("bob");
  const given: number[] = [];
  feed(page, ({ seq }) => given.push(seq));
  page.engine.write("c1", "mine");
  await page.rest();
  expect(given).toEqual([1]);
});

test("a page that cannot be fetched now is fetched after the next change", async () => {
  const server = new FakeServer();
  server.fromBob(500);
  const page = await new FakePage(server).open();
  const api = apiOf(page);
  const history = api.history.bind(api);
  api.history = async () => {
    throw new ApiError("unreachable", "Nothing answers.");
  };
  const given: number[] = [];
  feed(page, ({ seq }) => given.push(seq), api);
  await page.rest();
  expect(given).toEqual([]);
  api.history = history;
  page.sockets.last.receive(...server.fromBob(1).map(frameOf));
  await page.rest();
  expect(given).toHaveLength(501);
});

test("numbers that were undone on the server are given out again", async () => {
  const server = new FakeServer();
  server.fromBob(3);
  const page = await new FakePage(server).open();
  const given: string[] = [];
  feed(page, ({ seq, at }) => given.push(`${at.slice(8, 10)}: ${seq}`));
  await page.rest();
  server.goBack(1);
  page.sockets.last.end(1006);
  server.fromBob(2);
  await page.clock.pass(1_000);
  await page.connect();
  expect(given).toEqual(["23: 1", "23: 2", "23: 3", "24: 2", "24: 3"]);
});
