import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Event } from "../protocol/generated";
import {
  conversationsToSave,
  restored,
  SAVED_CHARS,
  SAVED_CONVERSATIONS,
  SAVED_MESSAGES,
  snapshotHeadOf,
  storedFrom,
} from "../store/snapshot";
import { INITIAL } from "../store/state";
import { FakePage } from "../testing/fake-page";
import { ADA, BOB, CONVERSATION, FakeApi, type FakeServer, frameOf } from "../testing/fake-server";
import { placeAll, startLog } from "../timeline/log";
import { SAVE_MS } from "./snapshot-saver";

/** A page that has loaded `messages` of Bob's, and kept them. */
async function kept(messages: number): Promise<FakePage> {
  const page = new FakePage();
  page.server.fromBob(messages);
  await page.open();
  await page.clock.pass(SAVE_MS);
  return page;
}

/** The receipts that the server gets from now on. */
function receiptsTo(server: FakeServer): string[] {
  const receipts: string[] = [];
  const { answer } = server;
  server.answer = (frame) => {
    if (frame.type === "delivered" || frame.type === "read") {
      receipts.push(`${frame.type} ${frame.seq}`);
    }
    return answer.call(server, frame);
  };
  return receipts;
}

describe("a page that comes after another one", () => {
  test("shows what was kept before the server answers, and takes what is written", async () => {
    const next = (await kept(3)).reloaded("two");
    next.server.reachable = false;
    void next.engine.start();
    await next.clock.pass(100);
    expect(next.state).toMatchObject({ auth: { kind: "active", me: ADA }, link: "connecting" });
    expect(next.seqs).toEqual([1, 2, 3]);
    next.engine.write(CONVERSATION, "Offline");
    expect(next.state.outbox.entries).toHaveLength(1);

    next.server.reachable = true;
    next.engine.wake();
    await next.connect();
    expect(next.state.outbox.entries).toEqual([]);
    expect(next.server.messages.map(({ body }) => body)).toContain("Offline");
    expect(next.server.asked).toContain("session");
  });

  test("shows no old messages as the end, whatever was read last", async () => {
    const page = await kept(400);
    page.engine.show(CONVERSATION);
    await page.engine.loadAround(CONVERSATION, 50);
    expect(page.log).toMatchObject({ detached: true });
    await page.clock.pass(SAVE_MS);
    const next = page.reloaded("two");
    next.server.reachable = false;
    void next.engine.start();
    await next.clock.pass(100);
    expect(next.log).toMatchObject({ base: 400, end: 400, detached: false, messages: [] });
    expect(next.conversation?.last?.seq).toBe(400);
    next.server.reachable = true;
    next.engine.wake();
    await next.connect();
    await next.engine.loadOlder(CONVERSATION);
    expect(next.seqs.at(-1)).toBe(400);
  });

  test("asks for what it misses only, and repeats no receipt", async () => {
    const page = await kept(3);
    page.server.fromBob(2);
    const next = page.reloaded("two");
    await next.engine.start();
    next.sockets.last.open();
    const [hello] = next.sockets.last.sent;
    const cursor = { conversation: CONVERSATION, seq: 3, at: page.server.messages[2]?.at };
    expect(hello).toMatchObject({ type: "hello", cursors: [cursor] });
    const receipts = receiptsTo(page.server);
    next.server.attend(next.sockets.last);
    await next.rest();
    expect(next.seqs).toEqual([1, 2, 3, 4, 5]);
    expect(next.conversation?.unread).toBe(5);
    expect(receipts).toEqual(["delivered 4", "delivered 5"]);
    expect(next.missed.map(({ seq }) => seq)).toEqual([5]);
    await next.clock.pass(SAVE_MS);

    await next.reloaded("three").open();
    expect(receipts).toHaveLength(2);
  });

  test("shows what was pinned before the server answers, and what changed meanwhile after", async () => {
    const page = await kept(3);
    page.sockets.last.receive(frameOf(page.server.pinnedByBob(2)));
    page.engine.save();
    page.server.pinnedByBob(1);
    page.server.pinnedByBob(2, false);
    const next = page.reloaded("two");
    next.server.reachable = false;
    void next.engine.start();
    await next.clock.pass(100);
    expect(next.pins).toEqual([2]);
    next.server.reachable = true;
    next.engine.wake();
    await next.connect();
    expect(next.pins).toEqual([1]);
  });

  test("asks again for pins that were not known when it was kept", async () => {
    const page = await kept(3);
    // As where the log went on by a page of history, and the page was closed right after.
    page.server.pinnedByBob(2);
    const covered = await new FakeApi(page.server).history(CONVERSATION, { after: 3 }, 10);
    page.sockets.last.end(1006);
    page.store.dispatch({ type: "history", conversation: CONVERSATION, page: covered });
    page.engine.save();
    expect(page.pins).toEqual([]);
    expect((await page.reloaded("two").open()).pins).toEqual([2]);
  });

  test("tells what was read and could not be told", async () => {
    const page = await kept(4);
    page.sockets.last.end(1006);
    page.engine.seen(CONVERSATION, 3);
    page.engine.save();
    const next = await page.reloaded("two").open();
    expect(next.server.conversation().members[0]).toMatchObject({ read: 3 });
    expect(next.conversation?.unread).toBe(1);
  });

  test("tells nothing of what is in the log and was not seen", async () => {
    const next = await (await kept(4)).reloaded("two").open();
    await next.rest();
    expect(next.server.conversation().members[0]).toMatchObject({ delivered: 4, read: 0 });
  });

  test("asks who is logged in; when nobody is, nothing stays", async () => {
    const page = await kept(3);
    page.server.loggedIn = false;
    const next = page.reloaded("two");
    await next.engine.start();
    expect(next.state).toMatchObject({ auth: { kind: "anonymous", loggedOut: true } });
    expect(next.state.conversations.size + next.state.logs.size).toBe(0);
    expect(await next.kept.read()).toBeNull();
  });

  test("finds nothing after a log-out", async () => {
    const page = await kept(3);
    await page.engine.session.logOut();
    await page.clock.pass(SAVE_MS);
    expect(await page.kept.read()).toBeNull();
  });

  test("finds nothing of another user", async () => {
    const page = await kept(3);
    await page.kept.own(BOB.id);
    expect(await page.kept.read()).toBeNull();
    page.server.fromBob(1);
    page.engine.save();
    expect(await page.kept.read()).toBeNull();
  });

  test("drops what was kept of another history", async () => {
    const page = await kept(3);
    page.server.epoch = "two";
    page.server.log.splice(1);
    const next = await page.reloaded("two").open();
    expect(next.seqs).toEqual([1]);
    await next.clock.pass(SAVE_MS);
    const snapshot = await next.kept.read();
    expect(snapshot?.head.epoch).toBe("two");
    expect(snapshot?.conversations.map(({ log }) => log.messages.length)).toEqual([1]);
  });
});

test("what did not change is not written again", async () => {
  const page = await kept(2);
  const writes: number[] = [];
  const { write } = page.kept;
  page.kept.write = async (head, put, gone) => {
    writes.push(put.length);
    return write.call(page.kept, head, put, gone);
  };
  page.engine.save();
  expect(writes).toEqual([]);
  for (const message of page.server.fromBob(3)) {
    page.sockets.last.receive({ type: "event", ...message });
  }
  await page.clock.pass(SAVE_MS);
  expect(writes).toEqual([1]);
});

const state = fc
  .array(fc.tuple(fc.nat(400), fc.nat(400), fc.nat(4_000), fc.nat(1_000_000)), { maxLength: 80 })
  .map((conversations) => {
    const all = conversations.map(([base, count, length, time], index) =>
      chatOf(`c${index}`, base, count, length, time),
    );
    return {
      ...INITIAL,
      auth: { kind: "active", me: ADA, hasPassword: true, invisible: true } as const,
      epoch: "one",
      conversations: new Map(all.map(({ conversation }) => [conversation.id, conversation])),
      logs: new Map(all.map(({ conversation, log }) => [conversation.id, log])),
    };
  });

function chatOf(id: string, base: number, count: number, length: number, time: number) {
  const at = new Date(Date.UTC(2026, 10, 23) + time * 1_000).toISOString();
  const content = { kind: "message", body: "x".repeat(length) } as const;
  const events: Event[] = Array.from({ length: count }, (_, index) => {
    const seq = base + index + 1;
    const header = { conversation: id, seq, sender: BOB.id, client_id: `${id} ${seq}`, at };
    // Every third one pins the message before it.
    return index % 3 === 2
      ? { ...header, kind: "pin", target: seq - 1, on: true }
      : { ...header, ...content };
  });
  const log = placeAll(startLog(base), events);
  const members = [ADA, BOB].map((user) => ({ user, delivered: base, read: base }));
  const unread = Math.min(log.messages.length, 100);
  return { conversation: { id, members, last: log.messages.at(-1) ?? null, unread }, log };
}

test("what is kept is bounded, the most recent, and begins a page that holds no gap", () => {
  fc.assert(
    fc.property(state, (state) => {
      const head = snapshotHeadOf(state);
      if (head === null) throw new Error("somebody is logged in");
      const conversations = [...conversationsToSave(state).values()].map((held) =>
        storedFrom(held, "one"),
      );
      const again = restored(INITIAL, structuredClone({ head, conversations }));
      expect(again).toMatchObject({ auth: state.auth, epoch: "one", listed: false });
      expect(again.conversations.size).toBeLessThanOrEqual(SAVED_CONVERSATIONS);
      let chars = 0;
      for (const [id, log] of again.logs) {
        const whole = state.logs.get(id);
        expect(log.messages.length).toBeLessThanOrEqual(SAVED_MESSAGES);
        expect(log.messages).toEqual(whole?.messages.slice(-SAVED_MESSAGES));
        expect([log.end, log.endAt, log.pins]).toEqual([whole?.end, whole?.endAt, whole?.pins]);
        expect(log.known).toBe(log.end);
        expect(again.conversations.get(id)).toEqual(state.conversations.get(id));
        chars += log.messages.reduce((sum, { body }) => sum + body.length, 0);
      }
      expect(chars).toBeLessThanOrEqual(SAVED_CHARS);
      const oldest =
        [...again.conversations.values()].map(({ last }) => last?.at ?? "").sort()[0] ?? "";
      const left = [...state.conversations.values()].filter(
        ({ id }) => !again.conversations.has(id),
      );
      if (chars < SAVED_CHARS / 2 && again.conversations.size === SAVED_CONVERSATIONS) {
        for (const { last } of left) expect((last?.at ?? "") <= oldest).toBe(true);
      }
    }),
    { numRuns: 40 },
  );
});
