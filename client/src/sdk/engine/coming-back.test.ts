import { describe, expect, test } from "vitest";
import { pageWith, upTo } from "../testing/fake-page";
import { ADA, CONVERSATION } from "../testing/fake-server";

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

  test("a message that the list brings just before its event is announced", async () => {
    const page = await pageWith(2);
    page.sockets.last.end(1012);
    await page.clock.pass(1_000);
    const socket = page.sockets.last;
    socket.open();
    const answers = socket.take().flatMap((frame) => page.server.answer(frame));
    // After the replay, and before the list is asked for.
    const sent = page.server.fromBob(1);
    socket.receive(...answers);
    await page.clock.pass(0);
    expect(page.seqs).toEqual([1, 2, 3]);
    for (const message of [...sent, ...sent]) socket.receive({ type: "event", ...message });
    await page.rest();
    expect(page.announced.map(({ seq }) => seq)).toEqual([3]);
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
