import { expect, test } from "vitest";
import { FakeClock } from "../testing/fake-clock";
import { IDLE_MS, Idle } from "./idle";

function watched() {
  const clock = new FakeClock();
  const told: boolean[] = [];
  return { clock, told, idle: new Idle(clock, (now) => told.push(now)) };
}

test("five minutes without input are idle, and the next input is not", async () => {
  const { clock, told, idle } = watched();
  idle.touch();
  await clock.pass(IDLE_MS - 1);
  expect(told).toEqual([]);
  await clock.pass(1);
  expect([told, idle.now]).toEqual([[true], true]);
  idle.touch();
  expect([told, idle.now]).toEqual([[true, false], false]);
  await clock.pass(IDLE_MS);
  expect(told).toEqual([true, false, true]);
});

test("input puts it off, however often", async () => {
  const { clock, told, idle } = watched();
  for (let minute = 0; minute < 60; minute += 1) {
    idle.touch();
    await clock.pass(60_000);
  }
  expect(told).toEqual([]);
  await clock.pass(IDLE_MS - 60_000 - 1);
  expect(told).toEqual([]);
  await clock.pass(1);
  expect(told).toEqual([true]);
});

test("a program that reports no input is never idle", async () => {
  const { clock, told } = watched();
  await clock.pass(100 * IDLE_MS);
  expect(told).toEqual([]);
});
