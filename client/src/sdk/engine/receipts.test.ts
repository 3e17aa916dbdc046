import { expect, test } from "vitest";
import type { ClientFrame } from "../protocol/generated";
import { FakeClock } from "../testing/fake-clock";
import { Receipts } from "./receipts";

const INTERVAL = 300;

function setUp() {
  const clock = new FakeClock();
  const world = { online: true };
  const sent: ClientFrame[] = [];
  const receipts = new Receipts(
    clock,
    () => INTERVAL,
    (frame) => {
      if (world.online) sent.push(frame);
      return world.online;
    },
  );
  return { clock, world, sent, receipts };
}

const delivered = (seq: number) => ({ type: "delivered", conversation: "c", seq });
const read = (seq: number) => ({ type: "read", conversation: "c", seq });

test("a burst costs two frames: its beginning, and where it ended", async () => {
  const { clock, sent, receipts } = setUp();
  for (let seq = 1; seq <= 50; seq += 1) receipts.reached("c", "delivered", seq);
  await clock.pass(INTERVAL);
  expect(sent).toEqual([delivered(1), delivered(50)]);
});

test("positions only grow", async () => {
  const { clock, sent, receipts } = setUp();
  receipts.reached("c", "read", 9);
  receipts.reached("c", "read", 3);
  await clock.pass(INTERVAL * 3);
  expect(sent).toEqual([read(9)]);
});

test("what the server confirmed, from whatever device, is not told again", async () => {
  const { clock, sent, receipts } = setUp();
  receipts.confirmed("c", { delivered: 9, read: 9 });
  receipts.reached("c", "delivered", 9);
  receipts.reached("c", "read", 10);
  await clock.pass(INTERVAL);
  expect(sent).toEqual([read(10)]);
});

test("what was told and not confirmed is told again on the next connection", async () => {
  const { clock, world, sent, receipts } = setUp();
  receipts.reached("c", "delivered", 4);
  world.online = false;
  await clock.pass(INTERVAL);
  receipts.reached("c", "read", 4);
  world.online = true;
  await clock.pass(INTERVAL);
  sent.length = 0;
  receipts.reconnected();
  await clock.pass(INTERVAL);
  expect(sent).toEqual([delivered(4), read(4)]);
});

test("conversations do not wait for each other", () => {
  const { sent, receipts } = setUp();
  receipts.reached("c", "delivered", 1);
  receipts.reached("d", "delivered", 1);
  expect(sent).toHaveLength(2);
});
