import { expect, test } from "vitest";
import { FakeClock } from "../testing/fake-clock";
import { FakeSockets } from "../testing/fake-socket";
import {
  CONNECT_MS,
  Connection,
  OFFLINE_PONG_MS,
  OFFLINE_QUIET_MS,
  PONG_MS,
  QUIET_MS,
  WAKE_PONG_MS,
} from "./connection";
import { ACTIVE_WAIT_MAX_MS, type Admission, DEFAULT_BACKOFF, reconnectDelay } from "./reconnect";

function setUp(admission: Admission = "good") {
  const clock = new FakeClock();
  const sockets = new FakeSockets();
  const told: string[] = [];
  const server = { answers: false, asked: [] as number[] };
  const connection = new Connection(sockets.openWebSocket, clock, {
    attempting: () => told.push("attempting"),
    opened: () => told.push("opened"),
    received: (frame) => told.push(frame.type),
    lost: (closeReason) => told.push(`lost ${closeReason}`),
    admitted: async () => admission,
    answers: async () => {
      server.asked.push(clock.now());
      return server.answers;
    },
  });
  return { clock, sockets, told, connection, server };
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

test.each([["{"], ['{"type":"event","kind":"message","seq":"1"}'], [new ArrayBuffer(1)]])(
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

test("an event of an unknown kind is heard as one that is not shown", () => {
  const { sockets, told, connection } = setUp();
  connection.start();
  sockets.last.open();
  sockets.last.receiveText('{"type":"event","kind":"poll","conversation":"c","seq":3}');
  expect(told).toEqual(["attempting", "opened", "hidden"]);
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

/** Fails five attempts in a row; the next one would be 8,250 ms away. */
async function failing() {
  const page = setUp();
  page.connection.start();
  for (let failure = 1; failure <= 5; failure += 1) {
    page.sockets.last.end(1006);
    if (failure < 5) await page.clock.pass(reconnectDelay(failure, DEFAULT_BACKOFF, 0.5));
  }
  return page;
}

test("who acts after a while is connected at once", async () => {
  const { clock, sockets, connection } = await failing();
  await clock.pass(ACTIVE_WAIT_MAX_MS + 1_000);
  expect(sockets.all).toHaveLength(5);
  connection.hurry();
  await clock.pass(0);
  expect(sockets.all).toHaveLength(6);
});

test("who acts right after an attempt waits no longer than the patience", async () => {
  const { clock, sockets, connection } = await failing();
  await clock.pass(1_000);
  connection.hurry();
  await clock.pass(ACTIVE_WAIT_MAX_MS - 1_001);
  expect(sockets.all).toHaveLength(5);
  await clock.pass(1);
  expect(sockets.all).toHaveLength(6);
});

test("an attempt that is due sooner is not put off", async () => {
  const { clock, sockets, connection } = setUp();
  connection.start();
  sockets.last.end(1006);
  connection.hurry();
  await clock.pass(750);
  expect(sockets.all).toHaveLength(2);
});

test("whatever somebody does, a server in trouble gets an attempt every few seconds", async () => {
  const { clock, sockets, connection } = await failing();
  const attempts = async (ms: number) => {
    const before = sockets.all.length;
    for (let acted = 0; acted < ms; acted += 100) {
      sockets.last.end(1006);
      connection.hurry();
      await clock.pass(100);
    }
    return sockets.all.length - before;
  };
  expect(await attempts(60_000)).toBe(60_000 / ACTIVE_WAIT_MAX_MS);
  // The server's own minimum is kept to.
  connection.setBackoff({ min: 12_000, max: 20_000 });
  expect(await attempts(60_000)).toBe(60_000 / 12_000);
});

test("nobody who acts disturbs a connection, an attempt, or the end of all attempts", async () => {
  const { clock, sockets, connection } = setUp();
  connection.start();
  await clock.pass(ACTIVE_WAIT_MAX_MS);
  connection.hurry();
  sockets.last.open();
  connection.hurry();
  sockets.last.end(4500);
  connection.hurry();
  await clock.pass(60_000);
  expect(sockets.all).toHaveLength(1);
});

test("who is not admitted any more does not try again", async () => {
  const { clock, sockets, told, connection } = setUp("over");
  connection.start();
  sockets.last.end(1006);
  await clock.pass(60_000);
  expect(told.at(-1)).toBe("lost logged_out");
  expect(sockets.all).toHaveLength(1);
});

test("without a network an open connection is given up at once, unless it answers", async () => {
  const { clock, sockets, told, connection } = setUp();
  connection.start();
  sockets.last.open();
  connection.doubt();
  sockets.last.receive({ type: "pong" });
  await clock.pass(OFFLINE_PONG_MS);
  expect(told.at(-1)).toBe("pong");
  // It is asked again, for as long as the machine says so.
  await clock.pass(OFFLINE_QUIET_MS + OFFLINE_PONG_MS);
  expect(told.at(-1)).toBe("lost null");
});

/** Fails attempts at a server that does not answer, until the next one is many seconds away. */
async function away() {
  const page = setUp("unknown");
  page.connection.start();
  for (let failure = 1; failure <= 6; failure += 1) {
    page.sockets.last.end(1006);
    if (failure < 6) await page.clock.pass(reconnectDelay(failure, DEFAULT_BACKOFF, 0.5));
  }
  page.server.asked = [];
  return page;
}

test("a server that answers again is connected to at once", async () => {
  const { clock, sockets, server } = await away();
  const before = sockets.all.length;
  const begun = clock.now();
  await clock.pass(6_500);
  expect(sockets.all).toHaveLength(before);
  server.answers = true;
  await clock.pass(500);
  expect(sockets.all).toHaveLength(before + 1);
  // Whatever becomes of that attempt, nothing is asked meanwhile.
  await clock.pass(5_000);
  expect(server.asked.map((at) => at - begun)).toEqual([1_000, 3_000, 7_000]);
});

test("a server that answers and refuses is not asked more than the attempts do", async () => {
  const { clock, sockets, connection, server } = setUp("good");
  server.answers = true;
  connection.start();
  for (let failure = 1; failure <= 6; failure += 1) {
    sockets.last.end(1006);
    await clock.pass(reconnectDelay(failure, DEFAULT_BACKOFF, 0.5));
  }
  expect(server.asked).toEqual([]);
});
