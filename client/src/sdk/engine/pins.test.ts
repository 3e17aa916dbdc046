import { describe, expect, test } from "vitest";
import { PINS_MAX } from "../protocol/generated";
import { FakePage } from "../testing/fake-page";
import { CONVERSATION, FakeApi, FakeServer, frameOf } from "../testing/fake-server";
import { hasGap, lacksPins } from "../timeline/log";
import { pinnedMessages } from "./pinned-messages";

async function pageWith(messages: number): Promise<FakePage> {
  const server = new FakeServer();
  server.fromBob(messages);
  return new FakePage(server).open();
}

async function comeBack(page: FakePage): Promise<void> {
  await page.clock.pass(1_000);
  await page.connect();
}

describe("an own pin", () => {
  test("shows at once, and is stored", async () => {
    const page = await pageWith(3);
    page.engine.pin(CONVERSATION, 2, true);
    expect(page.pins).toEqual([2]);
    expect(page.server.pins).toEqual([]);
    await page.rest();
    expect([page.pins, page.server.pins]).toEqual([[2], [2]]);
    expect(page.state.outbox.entries).toEqual([]);
    page.engine.pin(CONVERSATION, 2, false);
    expect(page.pins).toEqual([]);
    await page.rest();
    expect([page.pins, page.server.pins, page.seqs]).toEqual([[], [], [1, 2, 3]]);
  });

  test("of a page that is offline is sent once on return, in its turn", async () => {
    const page = await pageWith(3);
    page.sockets.last.end(1006);
    page.engine.write(CONVERSATION, "first");
    page.engine.pin(CONVERSATION, 2, true);
    page.engine.write(CONVERSATION, "last");
    expect(page.pins).toEqual([2]);
    await comeBack(page);
    expect(page.server.log.slice(3)).toMatchObject([
      { body: "first" },
      { kind: "pin", target: 2, on: true },
      { body: "last" },
    ]);
    expect([page.pins, page.seqs]).toEqual([[2], [1, 2, 3, 4, 6]]);
  });

  test("waits beyond the life of the page", async () => {
    const page = await pageWith(3);
    page.sockets.last.end(1006);
    page.engine.pin(CONVERSATION, 1, true);
    await page.clock.pass(0);
    const next = await page.reloaded("two").open();
    expect([next.pins, next.server.pins, next.storage.rows.size]).toEqual([[1], [1], 0]);
  });

  test("whose answer was lost is there once", async () => {
    const page = await pageWith(3);
    page.engine.pin(CONVERSATION, 1, true);
    for (const frame of page.sockets.last.take()) page.server.answer(frame);
    page.sockets.last.end(1006);
    expect(page.pins).toEqual([1]);
    await comeBack(page);
    expect([page.server.log.length, page.pins]).toEqual([4, [1]]);
    expect(page.state.outbox.entries).toEqual([]);
  });

  test("that is refused for good is dropped, and shows no more", async () => {
    const page = await pageWith(PINS_MAX + 1);
    for (let seq = 1; seq <= PINS_MAX; seq += 1) page.server.pinnedByBob(seq);
    const next = await page.reloaded("two").open();
    const clientId = next.engine.pin(CONVERSATION, PINS_MAX + 1, true);
    expect(next.pins).toHaveLength(PINS_MAX + 1);
    await next.rest();
    expect(next.pins).toHaveLength(PINS_MAX);
    expect(next.state.outbox).toMatchObject({
      entries: [],
      refused: { clientId, code: "too_many_pins" },
    });
    expect(next.storage.rows.size).toBe(0);
    next.engine.write(CONVERSATION, "and on");
    await next.rest();
    expect(next.server.messages.at(-1)?.body).toBe("and on");
  });

  test("of what is no message is refused", async () => {
    const page = await pageWith(1);
    page.engine.pin(CONVERSATION, 7, true);
    await page.rest();
    expect(page.pins).toEqual([]);
    expect(page.state.outbox.refused).toMatchObject({ code: "not_found" });
  });
});

describe("pins of others", () => {
  test("show, and are neither unread nor announced", async () => {
    const page = await pageWith(3);
    const unread = page.conversation?.unread;
    page.sockets.last.receive(frameOf(page.server.pinnedByBob(3)));
    await page.rest();
    expect([page.pins, page.conversation?.unread]).toEqual([[3], unread]);
    expect(page.announced).toEqual([]);
    expect(page.server.asked.filter((name) => name === "history")).toHaveLength(1);
  });

  test("of a conversation not heard of bring the conversation", async () => {
    const page = await new FakePage().open();
    page.server.fromBob(3);
    page.sockets.last.receive(frameOf(page.server.pinnedByBob(2)));
    await page.rest();
    expect(page.conversation).toMatchObject({ unread: 3, last: { seq: 3 } });
    expect(page.pins).toEqual([2]);
    expect(page.announced).toEqual([]);
  });

  test("that a gap has hidden are asked for once the gap is filled", async () => {
    const page = await pageWith(3);
    page.server.pinnedByBob(1);
    page.server.fromBob(1);
    page.sockets.last.receive(frameOf(page.server.pinnedByBob(3)));
    expect([page.pins, page.log && hasGap(page.log)]).toEqual([[], true]);
    await page.rest();
    expect(page.pins).toEqual([1, 3]);
    expect(page.log && lacksPins(page.log)).toBe(false);
  });

  test("are known after a replay that was too long", async () => {
    const page = await pageWith(3);
    page.server.pinnedByBob(1);
    page.server.fromBob(25);
    page.server.pinnedByBob(2);
    page.sockets.last.receive({ type: "synced", truncated: [CONVERSATION], reset: [] });
    await page.rest();
    expect([page.pins, page.log?.end]).toEqual([[1, 2], 30]);
    expect(page.log && [hasGap(page.log), lacksPins(page.log)]).toEqual([false, false]);
  });

  test("are known where a far-behind log begins again", async () => {
    const page = await pageWith(3);
    page.sockets.last.receive(frameOf(page.server.pinnedByBob(3)));
    page.server.fromBob(1_500);
    page.server.pinnedByBob(2);
    page.server.pinnedByBob(3, false);
    page.server.fromBob(1_500);
    page.sockets.last.receive(frameOf(page.server.pinnedByBob(2_000)));
    await page.rest();
    expect(page.pins).toEqual([2, 2_000]);
    expect(page.log).toMatchObject({ end: 3_007, known: 3_007 });
  });

  test("are not asked for on and on where the server has lost them", async () => {
    const page = await pageWith(3);
    const before = page.server.conversation();
    page.server.conversation = () => before;
    page.server.pinnedByBob(1);
    page.sockets.last.receive(...page.server.fromBob(1).map(frameOf));
    const asked = page.server.asked.length;
    await page.rest();
    expect(page.log && lacksPins(page.log)).toBe(true);
    const again = page.server.asked.slice(asked).filter((name) => name === "conversation");
    expect(again.length).toBeLessThanOrEqual(2);
  });
});

describe("what this client cannot show", () => {
  test("takes its number, and leaves no gap", async () => {
    const page = await pageWith(2);
    const asked = page.server.asked.length;
    page.sockets.last.receive(
      frameOf(page.server.fromTheFuture()),
      frameOf(page.server.hide()),
      ...page.server.fromBob(1).map(frameOf),
    );
    await page.rest();
    expect([page.seqs, page.log?.end]).toEqual([[1, 2, 5], 5]);
    expect(page.server.asked.slice(asked)).toEqual([]);
    expect(page.conversation).toMatchObject({ unread: 3, last: { seq: 5 } });
  });

  test("may be all that there is after the last message", async () => {
    const server = new FakeServer();
    server.fromBob(2);
    server.pinnedByBob(2);
    server.hide();
    const page = await new FakePage(server).open();
    expect(page.log).toMatchObject({ base: 0, end: 4, known: 4, endAt: null });
    page.sockets.last.end(1006);
    await page.clock.pass(1_000);
    page.sockets.last.open();
    const [hello] = page.sockets.last.sent;
    const cursors = hello?.type === "hello" ? hello.cursors : [];
    expect(cursors).toEqual([{ conversation: CONVERSATION, seq: 4 }]);
  });
});

test("all pinned messages are fetched, page by page", async () => {
  const server = new FakeServer();
  server.fromBob(60);
  const pinned = Array.from({ length: 25 }, (_, index) => index * 2 + 1);
  for (const seq of pinned.toReversed()) server.pinnedByBob(seq);
  const api = new FakeApi(server);
  const fetchPage = (before: number | null) =>
    api.history(CONVERSATION, { pinned: true, before }, 10);
  const found = await pinnedMessages(fetchPage);
  expect(found.map(({ seq }) => seq)).toEqual(pinned);
  expect(server.asked).toHaveLength(3);
  server.log.splice(60);
  expect(await pinnedMessages(fetchPage)).toEqual([]);
});
