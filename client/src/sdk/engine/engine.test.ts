import { describe, expect, test } from "vitest";
import { FakePage } from "../testing/fake-page";
import { ADA, BOB, CONVERSATION, FakeServer, frameOf } from "../testing/fake-server";

function upTo(last: number): number[] {
  return Array.from({ length: last }, (_, index) => index + 1);
}

async function pageWith(messages: number): Promise<FakePage> {
  const server = new FakeServer();
  server.fromBob(messages);
  return new FakePage(server).open();
}

describe("starting", () => {
  test("a browser without a session shows the log-in", async () => {
    const page = new FakePage();
    page.server.loggedIn = false;
    await page.engine.start();
    expect(page.state.auth).toEqual({ kind: "anonymous", loggedOut: false });
    expect(page.sockets.all).toEqual([]);
  });

  test("a server that cannot be reached is asked again", async () => {
    const page = new FakePage();
    page.server.reachable = false;
    const started = page.engine.start();
    await page.clock.pass(2_000);
    expect(page.state.auth.kind).toBe("starting");
    page.server.reachable = true;
    await page.clock.pass(20_000);
    await started;
    expect(page.state.auth.kind).toBe("active");
  });

  test("who logs in is connected", async () => {
    const page = new FakePage();
    page.server.loggedIn = false;
    await page.engine.start();
    expect(await page.engine.session.logIn("Ada")).toEqual({ kind: "in" });
    await page.connect();
    expect(page.server.asked).toContain("logIn");
    expect(page.state).toMatchObject({ auth: { kind: "active", me: ADA }, link: "open" });
  });

  test("a log-in does not end a session that the page did not know of", async () => {
    const page = new FakePage();
    page.server.loggedIn = false;
    await page.engine.start();
    // Another page of this browser logs in.
    page.server.loggedIn = true;
    expect(await page.engine.session.logIn("Eve")).toEqual({ kind: "already", me: ADA });
    await page.connect();
    expect(page.server.asked).not.toContain("logIn");
    expect(page.state).toMatchObject({ auth: { kind: "active", me: ADA }, link: "open" });
  });

  test("a log-in page that comes into view takes up a session that began elsewhere", async () => {
    const page = new FakePage();
    page.server.loggedIn = false;
    await page.engine.start();
    page.engine.wake();
    await page.rest();
    expect(page.state.auth.kind).toBe("anonymous");
    page.server.loggedIn = true;
    page.engine.wake();
    await page.rest();
    expect(page.state.auth).toMatchObject({ kind: "active", me: ADA });
  });

  test("a server that cannot be reached is no reason to log in blindly", async () => {
    const page = new FakePage();
    page.server.loggedIn = false;
    await page.engine.start();
    page.server.reachable = false;
    const answer = await page.engine.session.logIn("Ada");
    expect(answer).toMatchObject({ kind: "refused", error: { code: "unreachable" } });
  });

  test("hello comes first, and unread messages are held and reported", async () => {
    const page = new FakePage();
    page.server.fromBob(7);
    await page.engine.start();
    page.sockets.last.open();
    expect(page.sockets.last.sent[0]).toMatchObject({ type: "hello", cursors: [] });
    page.server.attend(page.sockets.last);
    await page.rest();
    expect(page.state.link).toBe("open");
    expect(page.seqs).toEqual(upTo(7));
    expect(page.conversation?.unread).toBe(7);
    expect(page.server.conversation().members[0]).toMatchObject({ delivered: 7, read: 0 });
  });
});

describe("receiving", () => {
  test("a live message is placed, counted, announced and reported", async () => {
    const page = await pageWith(2);
    const [message] = page.server.fromBob(1);
    if (message === undefined) throw new Error("Bob wrote nothing");
    page.sockets.last.receive({ type: "event", ...message });
    await page.rest();
    expect(page.seqs).toEqual([1, 2, 3]);
    expect(page.conversation?.unread).toBe(3);
    expect(page.announced).toEqual([{ type: "event", ...message }]);
    expect(page.server.conversation().members[0]?.delivered).toBe(3);
  });

  test("a gap is fetched before anything newer is shown", async () => {
    const page = await pageWith(2);
    const missed = page.server.fromBob(25).at(-1);
    if (missed === undefined) throw new Error("Bob wrote nothing");
    page.sockets.last.receive({ type: "event", ...missed });
    expect(page.seqs).toEqual([1, 2]);
    await page.rest();
    expect(page.seqs).toEqual(upTo(27));
  });

  test("a message of a conversation not heard of brings the conversation", async () => {
    const page = await new FakePage().open();
    const [message] = page.server.fromBob(1);
    if (message === undefined) throw new Error("Bob wrote nothing");
    page.sockets.last.receive({ type: "event", ...message });
    await page.rest();
    expect(page.conversation).toMatchObject({ unread: 1, last: { seq: 1 } });
    expect(page.announced).toHaveLength(1);
  });

  test("messages are announced in order, however their conversation comes to be known", async () => {
    const page = await new FakePage().open();
    const [first] = page.server.fromBob(1);
    if (first === undefined) throw new Error("Bob wrote nothing");
    page.sockets.last.receive({ type: "event", ...first });
    // The list brings it, while it is still asked for.
    page.store.dispatch({ type: "conversation", conversation: page.server.conversation() });
    const [second] = page.server.fromBob(1);
    if (second === undefined) throw new Error("Bob wrote nothing");
    page.sockets.last.receive({ type: "event", ...second });
    await page.rest();
    expect(page.announced.map((message) => message.seq)).toEqual([1, 2]);
  });

  test("a far-behind log begins again near its end", async () => {
    const page = await pageWith(3);
    const last = page.server.fromBob(3_000).at(-1);
    if (last === undefined) throw new Error("Bob wrote nothing");
    page.sockets.last.receive({ type: "event", ...last });
    await page.rest();
    expect(page.log?.end).toBe(3_003);
    expect(page.log?.base).toBe(2_993);
  });

  test("reading in view clears the count here and on the server", async () => {
    const page = await pageWith(4);
    page.engine.seen(CONVERSATION, 4);
    expect(page.conversation?.unread).toBe(0);
    await page.rest();
    expect(page.server.conversation()).toMatchObject({ unread: 0 });
  });

  test("an own message in view reads what others wrote before it, and nothing after", async () => {
    const page = await pageWith(3);
    const content = { kind: "message", body: "from another device" } as const;
    page.server.store(ADA, "ada-elsewhere", content);
    page.server.fromBob(2);
    page.sockets.last.end(1006);
    await page.clock.pass(1_000);
    await page.connect();
    page.engine.seen(CONVERSATION, 4);
    await page.rest();
    expect(page.conversation?.unread).toBe(2);
    expect(page.server.conversation()).toMatchObject({ unread: 2, members: [{ read: 3 }, {}] });
  });

  test("own messages need no receipt", async () => {
    const page = await pageWith(1);
    page.engine.seen(CONVERSATION, 1);
    page.engine.write(CONVERSATION, "hello");
    await page.rest();
    page.engine.seen(CONVERSATION, 2);
    await page.clock.pass(1_000);
    expect(page.sockets.last.sent).toEqual([]);
  });

  test("what the server knows of the own positions is not told again", async () => {
    const page = await pageWith(4);
    page.engine.seen(CONVERSATION, 4);
    await page.rest();
    const reloaded = new FakePage(page.server);
    await reloaded.engine.start();
    const socket = reloaded.sockets.last;
    page.server.serve(socket);
    await reloaded.clock.pass(1_000);
    reloaded.engine.seen(CONVERSATION, 4);
    await reloaded.clock.pass(1_000);
    expect(socket.sent).toEqual([]);
  });

  test("another tab that read clears the count here", async () => {
    const page = await pageWith(4);
    page.sockets.last.receive({
      type: "receipt",
      conversation: CONVERSATION,
      user: ADA.id,
      delivered: 4,
      read: 4,
      unread: 0,
    });
    expect(page.conversation?.unread).toBe(0);
  });

  test("somebody is writing until the time is over or the message is there", async () => {
    const page = await pageWith(1);
    const typing = () => page.state.typing.get(CONVERSATION)?.has(BOB.id) ?? false;
    page.sockets.last.receive({ type: "typing", conversation: CONVERSATION, user: BOB.id });
    expect(typing()).toBe(true);
    await page.clock.pass(6_000);
    expect(typing()).toBe(false);
    page.sockets.last.receive({ type: "typing", conversation: CONVERSATION, user: BOB.id });
    const [message] = page.server.fromBob(1);
    if (message === undefined) throw new Error("Bob wrote nothing");
    page.sockets.last.receive({ type: "event", ...message });
    expect(typing()).toBe(false);
  });
});

describe("sending", () => {
  test("a message is pending, then stored in its place", async () => {
    const page = await pageWith(1);
    page.engine.write(CONVERSATION, "hello");
    expect(page.state.outbox.entries).toMatchObject([
      { content: { kind: "message", body: "hello" }, state: "sent" },
    ]);
    expect(page.storage.rows.size).toBe(1);
    await page.rest();
    expect(page.state.outbox.entries).toEqual([]);
    expect(page.storage.rows.size).toBe(0);
    expect(page.log?.messages.at(-1)).toMatchObject({ seq: 2, sender: ADA.id, body: "hello" });
  });

  test("a lost answer is asked for again, and the message is there once", async () => {
    const page = await pageWith(1);
    page.engine.write(CONVERSATION, "hello");
    for (const frame of page.sockets.last.take()) page.server.answer(frame);
    page.sockets.last.end(1006);
    await page.clock.pass(1_000);
    await page.connect();
    expect(page.server.log).toHaveLength(2);
    expect(page.seqs).toEqual([1, 2]);
    expect(page.state.outbox.entries).toEqual([]);
  });

  test("what is written offline goes out in order after a reload", async () => {
    const page = await pageWith(1);
    page.sockets.last.end(1006);
    for (const body of ["one", "two", "three"]) page.engine.write(CONVERSATION, body);
    expect(page.state.outbox.entries.map((entry) => entry.state)).toEqual(Array(3).fill("waiting"));
    await page.clock.pass(0);
    const reloaded = await new FakePage(page.server, page.storage, "two").open();
    expect(reloaded.server.messages.map((message) => message.body).slice(1)).toEqual([
      "one",
      "two",
      "three",
    ]);
    expect(reloaded.storage.rows.size).toBe(0);
  });

  test("a refusal for now waits as long as it says", async () => {
    const page = await pageWith(1);
    page.engine.write(CONVERSATION, "hello");
    const [send] = page.sockets.last.take();
    if (send?.type !== "send") throw new Error("nothing was sent");
    const { client_id } = send;
    page.sockets.last.receive({
      type: "error",
      code: "rate_limited",
      message: "Slowly.",
      retry_after_ms: 700,
      client_id,
    });
    await page.clock.pass(699);
    expect(page.sockets.last.sent).toEqual([]);
    await page.clock.pass(1);
    expect(page.sockets.last.sent).toMatchObject([{ type: "send", client_id }]);
  });

  test("a message that was refused for now and thrown away holds up no other", async () => {
    const page = await pageWith(1);
    page.server.refusals = 1;
    const refused = page.engine.write(CONVERSATION, "first");
    page.engine.write(CONVERSATION, "second");
    page.server.attend(page.sockets.last);
    page.engine.discard(refused);
    await page.rest();
    expect(page.server.refused).toEqual([]);
    expect(page.server.messages.slice(1).map((message) => message.body)).toEqual(["second"]);
  });

  test("what is refused for now after it was stored is given up", async () => {
    const page = await pageWith(1);
    const client_id = page.engine.write(CONVERSATION, "hello");
    page.server.attend(page.sockets.last);
    page.sockets.last.receive({
      type: "error",
      code: "busy",
      message: "Later.",
      retry_after_ms: 500,
      client_id,
    });
    expect(page.sockets.last.sent).toEqual([{ type: "give_up", client_id }]);
  });

  test("no more than the window is in flight", async () => {
    const page = await pageWith(1);
    for (let n = 0; n < 40; n += 1) page.engine.write(CONVERSATION, `${n}`);
    expect(page.sockets.last.sent).toHaveLength(32);
    await page.rest();
    expect(page.server.messages.slice(1).map((message) => message.body)).toEqual(
      Array.from({ length: 40 }, (_, n) => `${n}`),
    );
  });
});

describe("coming back", () => {
  test("what was missed is replayed, and announced once", async () => {
    const page = await pageWith(2);
    page.sockets.last.end(1012);
    expect(page.state.link).toBe("closed");
    page.server.fromBob(5);
    await page.clock.pass(1_000);
    await page.connect();
    expect(page.seqs).toEqual(upTo(7));
    expect(page.announced.map((message) => message.seq)).toEqual([7]);
  });

  test("writing a message does not wait for the end of a long pause", async () => {
    const page = await pageWith(1);
    for (const pause of [750, 1_250, 2_250, 4_250]) {
      page.sockets.last.end(1006);
      await page.clock.pass(pause);
    }
    page.sockets.last.end(1006);
    await page.clock.pass(4_000);
    const { length } = page.sockets.all;
    page.engine.write(CONVERSATION, "hello");
    await page.clock.pass(0);
    expect(page.sockets.all).toHaveLength(length + 1);
    await page.connect();
    expect(page.server.log.at(-1)).toMatchObject({ sender: ADA.id, body: "hello" });
  });

  test("a rebuilt session is synced, watched and sent to again on the same socket", async () => {
    const page = await pageWith(2);
    page.engine.write(CONVERSATION, "hello");
    page.sockets.last.take();
    page.sockets.last.receive({ type: "resync" });
    expect(page.sockets.last.sent.map((frame) => frame.type)).toEqual(["sync", "watch", "send"]);
    await page.rest();
    expect(page.sockets.all).toHaveLength(1);
    expect(page.seqs).toEqual([1, 2, 3]);
  });

  test("another epoch drops what is held and keeps messages that are not sent", async () => {
    const page = await pageWith(5);
    page.sockets.last.end(1006);
    page.engine.write(CONVERSATION, "kept");
    // What has this number there is another message, if there is one.
    page.engine.pin(CONVERSATION, 2, true);
    page.server.epoch = "two";
    page.server.goBack(2);
    await page.clock.pass(1_000);
    await page.connect();
    expect(page.log?.messages.at(-1)).toMatchObject({ seq: 3, body: "kept" });
    expect(page.log?.known).toBe(3);
    expect([page.pins, page.server.pins, page.storage.rows.size]).toEqual([[], [], 0]);
  });

  test("a log that was undone is loaded afresh", async () => {
    const page = await pageWith(5);
    page.sockets.last.end(1006);
    page.server.goBack(3);
    await page.clock.pass(1_000);
    await page.connect();
    expect(page.log?.messages.at(-1)?.seq).toBe(3);
  });

  test("f26: a log that was undone and is as long again is loaded afresh", async () => {
    for (const again of [2, 4]) {
      const page = await pageWith(5);
      page.sockets.last.end(1006);
      page.server.goBack(3);
      page.server.fromBob(again);
      await page.clock.pass(1_000);
      await page.connect();
      expect(page.log?.messages).toEqual(page.server.log.slice(page.log?.base));
      expect(page.log?.known).toBe(3 + again);
    }
  });

  test("a session that ended elsewhere leads to the log-in", async () => {
    const page = await pageWith(1);
    page.sockets.last.end(4501);
    expect(page.state.auth.kind).toBe("anonymous");
    await page.clock.pass(60_000);
    expect(page.sockets.all).toHaveLength(1);
  });

  test("an upgrade refused for want of a session leads to the log-in", async () => {
    const page = await pageWith(1);
    page.sockets.last.end(1006);
    await page.clock.pass(1_000);
    page.server.loggedIn = false;
    page.sockets.last.end(1006);
    await page.clock.pass(0);
    expect(page.state.auth.kind).toBe("anonymous");
  });

  test("an upgrade refused to a token that opens nothing leads to the log-in", async () => {
    const page = await pageWith(1);
    page.sockets.last.end(1006);
    await page.clock.pass(1_000);
    Object.assign(page.server, { loggedIn: false, takesTokens: true });
    page.sockets.last.end(1006);
    await page.clock.pass(0);
    expect(page.state.auth.kind).toBe("anonymous");
  });

  test("a connection ended for good waits for the user", async () => {
    const page = await pageWith(1);
    page.sockets.last.end(4502);
    await page.clock.pass(60_000);
    expect(page.state).toMatchObject({ link: "closed", closeReason: "too_many" });
    expect(page.sockets.all).toHaveLength(1);
    page.engine.reconnect();
    await page.connect();
    expect(page.state).toMatchObject({ link: "open", closeReason: null });
  });

  test("logging out forgets what was kept", async () => {
    const page = await pageWith(1);
    page.engine.write(CONVERSATION, "unsent");
    expect(await page.engine.session.logOut()).toBeNull();
    expect(page.storage.rows.size).toBe(0);
    expect(page.state.conversations.size).toBe(0);
    expect(page.state.auth).toEqual({ kind: "anonymous", loggedOut: false });
  });
});

describe("going back to a message", () => {
  test("whoever hears of a page may ask for the one before it at once", async () => {
    const server = new FakeServer();
    server.fromBob(350);
    const page = await new FakePage(server).open();
    page.store.subscribe(() => {
      if ((page.log?.base ?? 0) > 0) void page.engine.loadOlder(CONVERSATION);
    });
    void page.engine.loadOlder(CONVERSATION);
    await page.rest();
    expect(page.log?.base).toBe(0);
  });

  /** Says how many pages of history were fetched for `work`. */
  async function pagesFor(page: FakePage, work: () => Promise<void>): Promise<number> {
    const before = page.server.asked.length;
    let done = false;
    void work().then(() => {
      done = true;
    });
    while (!done) await page.rest();
    return page.server.asked.slice(before).filter((name) => name === "history").length;
  }

  async function reading(messages: number): Promise<FakePage> {
    const page = await pageWith(messages);
    page.engine.seen(CONVERSATION, messages);
    await page.rest();
    const next = await new FakePage(page.server).open();
    next.engine.show(CONVERSATION);
    await next.rest();
    return next;
  }

  test("begins again around a far message, and goes on page by page to the end", async () => {
    const page = await reading(100);
    expect(page.log?.base).toBe(99);
    expect(await pagesFor(page, () => page.engine.loadAround(CONVERSATION, 50))).toBe(1);
    expect(page.seqs).toEqual([46, 47, 48, 49, 50, 51, 52, 53, 54, 55]);
    expect(page.log).toMatchObject({ detached: true, known: 100 });
    // The gap behind it is not filled, whatever comes.
    page.server.fromBob(1);
    page.sockets.last.receive(...page.server.log.slice(-1).map(frameOf));
    await page.rest();
    expect(page.seqs.at(-1)).toBe(55);
    expect(page.conversation).toMatchObject({ unread: 1, members: [{ delivered: 101 }, {}] });
    expect(await pagesFor(page, () => page.engine.loadNewer(CONVERSATION))).toBe(1);
    expect(page.seqs.at(-1)).toBe(65);
    for (let pages = 0; pages < 4; pages += 1) await page.engine.loadNewer(CONVERSATION);
    expect(page.log).toMatchObject({ detached: false, end: 101, base: 45 });
    expect(await pagesFor(page, () => page.engine.loadNewer(CONVERSATION))).toBe(0);
  });

  test("begins again at the end, with what came meanwhile", async () => {
    const page = await reading(100);
    await pagesFor(page, () => page.engine.loadAround(CONVERSATION, 50));
    await pagesFor(page, () => page.engine.loadAround(CONVERSATION, null));
    expect(page.log).toMatchObject({ detached: false, base: 90, end: 100 });
  });

  test("shows pins that others change meanwhile", async () => {
    const page = await reading(100);
    await pagesFor(page, () => page.engine.loadAround(CONVERSATION, 50));
    page.sockets.last.receive(frameOf(page.server.pinnedByBob(3, true)));
    expect(page.pins).toEqual([3]);
    await page.rest();
    expect(page.pins).toEqual([3]);
    page.engine.pin(CONVERSATION, 3, false);
    const shown: number[] = [];
    page.store.subscribe(() => void shown.push(page.pins.length));
    await page.rest();
    expect(shown, "it does not come back when it is stored").not.toContain(1);
  });

  test("loads nothing once the conversation is closed", async () => {
    const page = await reading(100);
    page.engine.show(null);
    const pages = await pagesFor(page, () => page.engine.loadAround(CONVERSATION, 1));
    expect(pages).toBe(0);
    expect(page.seqs).toEqual([100]);
  });

  test("waits for the server", async () => {
    const page = await reading(30);
    page.server.reachable = false;
    const work = page.engine.loadAround(CONVERSATION, 15);
    await page.rest();
    expect(page.log?.base).toBe(29);
    page.server.reachable = true;
    expect(await pagesFor(page, () => work)).toBe(1);
    expect(page.seqs[0]).toBe(11);
  });
});

test("nothing is read on a device that was left alone, until somebody comes back", async () => {
  const page = await pageWith(2);
  page.engine.touch();
  page.engine.show(CONVERSATION);
  page.engine.seen(CONVERSATION, 2);
  await page.rest();
  expect(page.conversation?.unread).toBe(0);
  for (let minute = 0; minute < 6; minute += 1) await passMinute(page);
  for (const message of page.server.fromBob(1)) {
    page.sockets.last.receive({ type: "event", ...message });
  }
  await page.rest();
  page.engine.seen(CONVERSATION, 3);
  await page.rest();
  expect(page.conversation).toMatchObject({ unread: 1, members: [{ delivered: 3, read: 2 }, {}] });
  page.engine.touch();
  await page.rest();
  expect(page.conversation).toMatchObject({ unread: 0, members: [{ read: 3 }, {}] });
});

/** A minute, in which the connection is kept. */
async function passMinute(page: FakePage): Promise<void> {
  for (let passed = 0; passed < 60; passed += 1) await page.rest();
}
