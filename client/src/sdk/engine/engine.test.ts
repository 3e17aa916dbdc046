import { describe, expect, test } from "vitest";
import { FakePage, pageWith, upTo } from "../testing/fake-page";
import { ADA, BOB, CONVERSATION } from "../testing/fake-server";

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
