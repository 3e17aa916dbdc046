import { expect, test } from "vitest";
import { FakeClock } from "../testing/fake-clock";
import { FakeSockets } from "../testing/fake-socket";
import { CONNECT_MS, Connection, PONG_MS, QUIET_MS, WAKE_PONG_MS } from "./connection";

function setUp(admitted = true) {
  const clock = new FakeClock();
  const sockets = new FakeSockets();
  const told: string[] = [];
  const connection = new Connection(sockets.openWebSocket, clock, {
    attempting: () => told.push("attempting"),
    opened: () => told.push("opened"),
    received: (frame) => told.push(frame.type),
    lost: (ending) => told.push(`lost ${ending}`),
    admitted: async () => admitted,
  });
  return { clock, sockets, told, connection };
}

test("a silent connection is asked, and given up when it does not answer", async () => {
  const { clock, sockets, told, connection } = setUp();
  connection.start();
  sockets.last.open();
  await clock.pass(QUIET_MS);
  expect(sockets.last.take()).toEqual([{ type: "ping" }]);
  sockets.last.receive({ type: "pong" });
  await clock.pass(QUIET_MS + PONG_MS - 1);
  expect(sockets.last.take()).toEqual([{ type: "ping" }]);
  expect(told.at(-1)).toBe("pong");
  await clock.pass(PONG_MS);
  expect(told).toContain("lost null");
  expect(sockets.all.length).toBeGreaterThan(1);
});

test("a connection that is heard is not asked", async () => {
  const { clock, sockets, connection } = setUp();
  connection.start();
  sockets.last.open();
  for (let round = 0; round < 5; round += 1) {
    await clock.pass(QUIET_MS - 1);
    sockets.last.receive({ type: "pong" });
  }
  expect(sockets.last.sent).toEqual([]);
});

test("waking up probes an open connection and does not wait for a closed one", async () => {
  const { clock, sockets, told, connection } = setUp();
  connection.start();
  sockets.last.open();
  connection.wake();
  await clock.pass(WAKE_PONG_MS);
  expect(told.at(-1)).toBe("lost null");
  connection.wake();
  expect(sockets.all).toHaveLength(2);
  connection.wake();
  expect(sockets.all).toHaveLength(2);
});

test("an attempt that hangs is given up", async () => {
  const { clock, sockets, told, connection } = setUp();
  connection.start();
  await clock.pass(CONNECT_MS);
  expect(sockets.all[0]?.closed).toBe(true);
  expect(told).toContain("lost null");
});

test("a socket that was given up is not heard any more", async () => {
  const { clock, sockets, told, connection } = setUp();
  connection.start();
  const [first] = sockets.all;
  first?.open();
  connection.wake();
  await clock.pass(WAKE_PONG_MS + 1_000);
  const before = told.length;
  first?.receive({ type: "pong" });
  first?.end(4501);
  first?.open();
  expect(told).toHaveLength(before);
});

test.each([["{"], ['{"type":"message","seq":"1"}'], [new ArrayBuffer(1)]])(
  "a malformed frame ends the connection, which comes back",
  async (data) => {
    const { clock, sockets, told, connection } = setUp();
    connection.start();
    sockets.last.open();
    sockets.last.receiveText(data);
    expect(told.at(-1)).toBe("lost null");
    await clock.pass(1_000);
    expect(sockets.all).toHaveLength(2);
  },
);

test("a frame of an unknown type is nothing", () => {
  const { sockets, told, connection } = setUp();
  connection.start();
  sockets.last.open();
  sockets.last.receiveText('{"type":"reaction"}');
  expect(told).toEqual(["attempting", "opened"]);
});

test("attempts are spread further with every failure and stop when stopped", async () => {
  const { clock, sockets, connection } = setUp();
  connection.start();
  const opened: number[] = [];
  for (let failure = 0; failure < 4; failure += 1) {
    const { length } = sockets.all;
    sockets.last.end(1006);
    while (sockets.all.length === length) await clock.pass(50);
    opened.push(clock.now());
  }
  const waits = opened.map((at, index) => at - (opened[index - 1] ?? 0));
  expect(waits).toEqual([750, 1_250, 2_250, 4_250]);
  connection.stop();
  await clock.pass(60_000);
  expect(sockets.all).toHaveLength(5);
});

test("who is not admitted any more does not try again", async () => {
  const { clock, sockets, told, connection } = setUp(false);
  connection.start();
  sockets.last.end(1006);
  await clock.pass(60_000);
  expect(told.at(-1)).toBe("lost logged_out");
  expect(sockets.all).toHaveLength(1);
});
