import { expect, test } from "vitest";
import { Client } from "./client";
import type { Api } from "./connection/api";
import { PINS_MAX } from "./protocol/generated";
import { FakePage } from "./testing/fake-page";
import { ADA, CONVERSATION, FakeApi, frameOf } from "./testing/fake-server";

async function connected(): Promise<[Client, FakePage]> {
  const page = await new FakePage().open();
  const api = new FakeApi(page.server) as unknown as Api;
  return [new Client(ADA, page.store, page.engine, api), page];
}

test("what is sent resolves with the message once it is stored", async () => {
  const [client, page] = await connected();
  const sent = client.send(CONVERSATION, "hello");
  await page.rest();
  expect(await sent).toMatchObject({ seq: 1, body: "hello" });
});

test("a pin resolves once it is stored, and is told as every change of the pins is", async () => {
  const [client, page] = await connected();
  page.sockets.last.receive(...page.server.fromBob(2).map(frameOf));
  await page.rest();
  const told: (readonly number[])[] = [];
  client.onPins((_conversation, pinned) => told.push(pinned));
  const pins = [client.pin(CONVERSATION, 2), client.pin(CONVERSATION, 1)];
  expect(client.pinned(CONVERSATION)).toEqual([]);
  await page.rest();
  await Promise.all(pins);
  expect(client.pinned(CONVERSATION)).toEqual([2, 1]);
  page.sockets.last.receive(frameOf(page.server.pinnedByBob(2, false)));
  page.sockets.last.receive(...page.server.fromBob(1).map(frameOf));
  const unpinned = client.unpin(CONVERSATION, 1);
  await page.rest();
  await unpinned;
  expect(told).toEqual([[2], [2, 1], [1], []]);
});

test("a pin that is refused rejects with what the server says", async () => {
  const [client, page] = await connected();
  page.sockets.last.receive(...page.server.fromBob(PINS_MAX + 1).map(frameOf));
  const pins = page.server.messages.map(({ seq }) => client.pin(CONVERSATION, seq));
  const nothing = client.pin(CONVERSATION, 999);
  const refusals = Promise.all([
    expect(pins.pop()).rejects.toMatchObject({ code: "too_many_pins" }),
    expect(nothing).rejects.toMatchObject({ code: "not_found" }),
  ]);
  await page.rest();
  await refusals;
  await Promise.all(pins);
  expect(client.pinned(CONVERSATION)).toHaveLength(PINS_MAX);
});

test("what is sent is not waited for once the session has ended", async () => {
  const [client, page] = await connected();
  const sent = client.send(CONVERSATION, "hello");
  page.sockets.last.end(4501);
  await expect(sent).rejects.toThrow("has ended");
  await client.ended();
});

test("neither is a pin", async () => {
  const [client, page] = await connected();
  const pin = client.pin(CONVERSATION, 1);
  page.sockets.last.end(4501);
  await expect(pin).rejects.toThrow("has ended");
});

test("a close ends what is under way", async () => {
  const [client] = await connected();
  const sent = client.send(CONVERSATION, "hello");
  client.close();
  await expect(sent).rejects.toThrow("has ended");
  await client.ended();
});
