import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Message } from "../protocol/generated";
import { INITIAL } from "../store/state";
import { FakePage } from "../testing/fake-page";
import { ADA, BOB, CONVERSATION, type FakeServer } from "../testing/fake-server";
import { KEEP_MS } from "./keeping";
import { heldTo, startLog } from "./log";
import {
  headOf,
  KEPT_CHARS,
  KEPT_CHATS,
  KEPT_MESSAGES,
  keptOf,
  restored,
  worthKeeping,
} from "./snapshot";

/** A page that has loaded `messages` of Bob's, and kept them. */
async function kept(messages: number): Promise<FakePage> {
  const page = new FakePage();
  page.server.fromBob(messages);
  await page.open();
  await page.clock.pass(KEEP_MS);
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
    expect(next.state).toMatchObject({ stage: { kind: "active", me: ADA }, link: "connecting" });
    expect(next.seqs).toEqual([1, 2, 3]);
    next.engine.write(CONVERSATION, "Offline");
    expect(next.state.outbox.entries).toHaveLength(1);

    next.server.reachable = true;
    next.engine.wake();
    await next.connect();
    expect(next.state.outbox.entries).toEqual([]);
    expect(next.server.log.map(({ body }) => body)).toContain("Offline");
    expect(next.server.asked).toContain("session");
  });

  test("asks for what it misses only, and repeats no receipt", async () => {
    const page = await kept(3);
    page.server.fromBob(2);
    const next = page.reloaded("two");
    await next.engine.start();
    next.sockets.last.open();
    const [hello] = next.sockets.last.sent;
    const cursor = { conversation: CONVERSATION, seq: 3, at: page.server.log[2]?.at };
    expect(hello).toMatchObject({ type: "hello", cursors: [cursor] });
    const receipts = receiptsTo(page.server);
    next.server.attend(next.sockets.last);
    await next.rest();
    expect(next.seqs).toEqual([1, 2, 3, 4, 5]);
    expect(next.chat?.unread).toBe(5);
    expect(receipts).toEqual(["delivered 4", "delivered 5"]);
    expect(next.missed.map(({ seq }) => seq)).toEqual([5]);
    await next.clock.pass(KEEP_MS);

    await next.reloaded("three").open();
    expect(receipts).toHaveLength(2);
  });

  test("tells what was read and could not be told", async () => {
    const page = await kept(4);
    page.sockets.last.end(1006);
    page.engine.seen(CONVERSATION, 3);
    page.engine.keep();
    const next = await page.reloaded("two").open();
    expect(next.server.conversation().members[0]).toMatchObject({ read: 3 });
    expect(next.chat?.unread).toBe(1);
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
    expect(next.state).toMatchObject({ stage: { kind: "anonymous", loggedOut: true } });
    expect(next.state.chats.size + next.state.logs.size).toBe(0);
    expect(await next.kept.read()).toBeNull();
  });

  test("finds nothing after a log-out", async () => {
    const page = await kept(3);
    await page.engine.session.logOut();
    await page.clock.pass(KEEP_MS);
    expect(await page.kept.read()).toBeNull();
  });

  test("finds nothing of another user", async () => {
    const page = await kept(3);
    await page.kept.own(BOB.id);
    expect(await page.kept.read()).toBeNull();
    page.server.fromBob(1);
    page.engine.keep();
    expect(await page.kept.read()).toBeNull();
  });

  test("drops what was kept of another history", async () => {
    const page = await kept(3);
    page.server.epoch = "two";
    page.server.log.splice(1);
    const next = await page.reloaded("two").open();
    expect(next.seqs).toEqual([1]);
    await next.clock.pass(KEEP_MS);
    const snapshot = await next.kept.read();
    expect(snapshot?.head.epoch).toBe("two");
    expect(snapshot?.chats.map(({ messages }) => messages.length)).toEqual([1]);
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
  page.engine.keep();
  expect(writes).toEqual([]);
  for (const message of page.server.fromBob(3)) {
    page.sockets.last.receive({ type: "message", ...message });
  }
  await page.clock.pass(KEEP_MS);
  expect(writes).toEqual([1]);
});

const state = fc
  .array(fc.tuple(fc.nat(400), fc.nat(400), fc.nat(4_000), fc.nat(1_000_000)), { maxLength: 80 })
  .map((chats) => {
    const all = chats.map(([base, count, length, time], index) =>
      chatOf(`c${index}`, base, count, length, time),
    );
    return {
      ...INITIAL,
      stage: { kind: "active", me: ADA, hasPassword: true, invisible: true } as const,
      epoch: "one",
      chats: new Map(all.map(({ chat }) => [chat.id, chat])),
      logs: new Map(all.map(({ chat, log }) => [chat.id, log])),
    };
  });

function chatOf(id: string, base: number, count: number, length: number, time: number) {
  const at = new Date(Date.UTC(2026, 10, 23) + time * 1_000).toISOString();
  const body = "x".repeat(length);
  const messages: Message[] = Array.from({ length: count }, (_, index) => {
    const seq = base + index + 1;
    return { conversation: id, seq, sender: BOB.id, client_id: `${id} ${seq}`, at, body };
  });
  const members = [ADA, BOB].map((user) => ({ user, delivered: base, read: base }));
  const chat = { id, members, last: messages.at(-1) ?? null, unread: Math.min(count, 100) };
  return { chat, log: { ...startLog(base), messages, known: base + count } };
}

test("what is kept is bounded, the most recent, and begins a page that holds no gap", () => {
  fc.assert(
    fc.property(state, (state) => {
      const head = headOf(state);
      if (head === null) throw new Error("somebody is logged in");
      const chats = [...worthKeeping(state).values()].map((held) => keptOf(held, "one"));
      const again = restored(INITIAL, structuredClone({ head, chats }));
      expect(again).toMatchObject({ stage: state.stage, epoch: "one", listed: false });
      expect(again.chats.size).toBeLessThanOrEqual(KEPT_CHATS);
      let chars = 0;
      for (const [id, log] of again.logs) {
        const whole = state.logs.get(id);
        expect(log.messages.length).toBeLessThanOrEqual(KEPT_MESSAGES);
        expect(log.messages).toEqual(whole?.messages.slice(-KEPT_MESSAGES));
        expect(heldTo(log)).toBe(whole && heldTo(whole));
        expect(log.known).toBe(heldTo(log));
        expect(again.chats.get(id)).toEqual(state.chats.get(id));
        chars += log.messages.reduce((sum, { body }) => sum + body.length, 0);
      }
      expect(chars).toBeLessThanOrEqual(KEPT_CHARS);
      const oldest = [...again.chats.values()].map(({ last }) => last?.at ?? "").sort()[0] ?? "";
      const left = [...state.chats.values()].filter(({ id }) => !again.chats.has(id));
      if (chars < KEPT_CHARS / 2 && again.chats.size === KEPT_CHATS) {
        for (const { last } of left) expect((last?.at ?? "") <= oldest).toBe(true);
      }
    }),
    { numRuns: 40 },
  );
});
