import { expect, test } from "vitest";
import { Api, ApiError } from "./api";

interface Asked {
  readonly path: string;
  readonly init: RequestInit;
}

function answering(status: number, body: string) {
  const asked: Asked[] = [];
  const api = new Api(async (path, init) => {
    asked.push({ path, init });
    return new Response(status === 204 ? null : body, { status });
  });
  return { api, asked };
}

async function refusalOf(work: Promise<unknown>): Promise<ApiError> {
  const error = await work.catch((reason: unknown) => reason);
  if (!(error instanceof ApiError)) throw new Error("it was not refused");
  return error;
}

test("a refusal carries the server's code, sentence, field and wait", async () => {
  const problem = { code: "name_taken", message: "Taken.", field: "name", retry_after_ms: 5 };
  const { api } = answering(409, JSON.stringify(problem));
  const error = await refusalOf(api.logIn({ name: "Ada" }));
  expect(error).toMatchObject({ code: "name_taken", message: "Taken.", field: "name" });
  expect(error.retryAfterMs).toBe(5);
  expect(error.passing).toBe(false);
});

test.each([
  [200, "<html>"],
  [200, '{"user":{"id":1}}'],
  [502, "Bad Gateway"],
  [404, "{}"],
])("an answer %i of %s is none of this server", async (status, body) => {
  const error = await refusalOf(answering(status, body).api.session());
  expect(error.code).toBe("unreachable");
  expect(error.passing).toBe(true);
});

test("a network that fails is a refusal, too", async () => {
  const api = new Api(async () => {
    throw new TypeError("Failed to fetch");
  });
  expect((await refusalOf(api.session())).code).toBe("unreachable");
});

test("bodies are JSON, and nothing is asked for in an empty answer", async () => {
  const { api, asked } = answering(204, "");
  await api.setPassword({ password: "a long one" });
  expect(asked[0]).toMatchObject({
    path: "/api/session/password",
    init: {
      method: "PUT",
      headers: { "Content-Type": "application/json" },
      body: '{"password":"a long one"}',
    },
  });
});

test("what a user typed is escaped in addresses", async () => {
  const { api, asked } = answering(200, '{"users":[],"next":null,"online":0}');
  await api.onlinePeople("a&b=%_ü", null);
  await refusalOf(api.history("../x?y", { after: 3 }, 10));
  expect(asked.map((each) => each.path)).toEqual([
    "/api/users?online=true&q=a%26b%3D%25_%C3%BC",
    "/api/conversations/..%2Fx%3Fy/messages?after=3&limit=10",
  ]);
});

test("a subscription to pushes goes out as the browser gives it", async () => {
  const { api, asked } = answering(204, "");
  const subscription = { endpoint: "https://push.example/1", keys: { p256dh: "p", auth: "a" } };
  await api.subscribe(subscription);
  await api.unsubscribe();
  expect(asked.map(({ path, init }) => `${init.method} ${path}`)).toEqual([
    "PUT /api/push/subscription",
    "DELETE /api/push/subscription",
  ]);
  expect(JSON.parse(`${asked[0]?.init.body}`)).toEqual(subscription);
});

test("a server without pushes has no key to subscribe with", async () => {
  const { api } = answering(200, '{"public_key":null}');
  expect(await api.pushKey()).toEqual({ public_key: null });
});
