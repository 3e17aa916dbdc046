import { afterEach, expect, test, vi } from "vitest";
import { Api, ApiError, REQUEST_MS } from "./api";

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

test.each([
  [new Response(null, { status: 302, headers: { location: "/log-in" } }), true],
  [
    new Response("<h1>Log in</h1>", { headers: { "content-type": "text/html; charset=utf-8" } }),
    true,
  ],
  [new Response("Forbidden", { status: 403 }), true],
  [new Response("Who?", { status: 401 }), true],
  [
    new Response("<h1>Bad gateway</h1>", { status: 502, headers: { "content-type": "text/html" } }),
    false,
  ],
  [new Response('{"code":"unauthorized","message":"Log in first."}', { status: 401 }), false],
  [new Response('{"code":"not_found","message":"No."}', { status: 404 }), false],
])("whether %o is the log-in of somebody before the server: %s", async (response, asks) => {
  let told = 0;
  const api = new Api(
    async () => response,
    () => {
      told += 1;
    },
  );
  await refusalOf(api.session());
  expect(told > 0).toBe(asks);
});

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

test("a browser without a session is told so, and that is no refusal", async () => {
  expect(await answering(200, '{"user":null}').api.session()).toBeNull();
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

test("pinned messages are asked for from the last on, or before a number", async () => {
  const page = { messages: [], from: 1, to: 0, last_seq: 0, last_at: null };
  const { api, asked } = answering(200, JSON.stringify(page));
  expect(await api.history("c", { pinned: true, before: null }, 10)).toEqual(page);
  await api.history("c", { pinned: true, before: 7 }, 10);
  expect(asked.map((each) => each.path)).toEqual([
    "/api/conversations/c/messages?pinned=true&limit=10",
    "/api/conversations/c/messages?pinned=true&before=7&limit=10",
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

afterEach(() => {
  vi.useRealTimers();
});

/** An answer whose pieces come when the test says so. */
function slowAnswer() {
  let pieces: ReadableStreamDefaultController<Uint8Array> | undefined;
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      pieces = controller;
    },
  });
  const api = new Api(async () => new Response(body));
  const encoder = new TextEncoder();
  return {
    api,
    come: (text: string) => pieces?.enqueue(encoder.encode(text)),
    end: () => pieces?.close(),
  };
}

test("an answer that goes on coming takes as long as it takes", async () => {
  vi.useFakeTimers();
  const { api, come, end } = slowAnswer();
  const asked = api.pushKey();
  for (const piece of ['{"public', '_key":"', "ä", '"', "}"]) {
    await vi.advanceTimersByTimeAsync(REQUEST_MS - 1);
    come(piece);
  }
  await vi.advanceTimersByTimeAsync(0);
  end();
  expect(await asked).toEqual({ public_key: "ä" });
});

test("an answer that comes no further is given up", async () => {
  vi.useFakeTimers();
  const { api, come } = slowAnswer();
  const refused = refusalOf(api.pushKey());
  come('{"public');
  await vi.advanceTimersByTimeAsync(REQUEST_MS + 1);
  expect((await refused).code).toBe("unreachable");
});

test("a request without any answer is given up", async () => {
  vi.useFakeTimers();
  const api = new Api(
    (_path, { signal }) =>
      new Promise((_answer, fail) => {
        signal?.addEventListener("abort", () => fail(signal.reason));
      }),
  );
  const refused = refusalOf(api.session());
  await vi.advanceTimersByTimeAsync(REQUEST_MS + 1);
  expect((await refused).code).toBe("unreachable");
});

test("a name or password that is refused carries the rule it breaks", async () => {
  const problem = { code: "invalid_name", message: "Reserved.", field: "name", rule: "reserved" };
  const error = await refusalOf(answering(400, JSON.stringify(problem)).api.logIn({ name: "a" }));
  expect(error.rule).toBe("reserved");
});

test("a program is told the token that a new password gives its session", async () => {
  const session = { user: { id: "a", name: "Ada" }, has_password: true, invisible: false };
  const renewed = answering(200, JSON.stringify({ ...session, token: "t" }));
  expect(await renewed.api.setPassword({ password: "a long one" })).toBe("t");
  expect(await answering(204, "").api.setPassword({ password: "a long one" })).toBeNull();
});

test("the list of sessions is read, and one is ended by its id", async () => {
  const one = { id: "0a", created: "2026-11-29T10:00:00.000Z", last_used: "2026-11-29" };
  const body = JSON.stringify({ sessions: [{ ...one, browser: "Firefox", current: true }] });
  const { sessions } = await answering(200, body).api.sessions();
  expect(sessions[0]).toMatchObject({ browser: "Firefox", current: true });
  const unlike = JSON.stringify({ sessions: [{ ...one, current: "yes" }] });
  expect((await refusalOf(answering(200, unlike).api.sessions())).code).toBe("unreachable");
  const { api, asked } = answering(204, "");
  await api.endSession("0a");
  expect(asked[0]).toMatchObject({ path: "/api/sessions/0a", init: { method: "DELETE" } });
});
