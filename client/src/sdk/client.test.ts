import { expect, test } from "vitest";
import { Client } from "./client";
import type { Api } from "./engine/api";
import { FakePage } from "./testing/fake-page";
import { ADA, CONVERSATION, FakeApi } from "./testing/fake-server";

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

test("what is sent is not waited for once the session has ended", async () => {
  const [client, page] = await connected();
  const sent = client.send(CONVERSATION, "hello");
  page.sockets.last.end(4501);
  await expect(sent).rejects.toThrow("has ended");
  await client.ended();
});

test("a close ends what is under way", async () => {
  const [client] = await connected();
  const sent = client.send(CONVERSATION, "hello");
  client.close();
  await expect(sent).rejects.toThrow("has ended");
  await client.ended();
});
