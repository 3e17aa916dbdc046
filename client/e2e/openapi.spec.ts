import { readFile } from "node:fs/promises";
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import { expect, test } from "./fixtures";

/** `docs/openapi.json`, as far as it is looked at here. */
interface Description {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

interface Operation {
  readonly responses: Readonly<
    Record<string, { readonly content?: Readonly<Record<string, object>> }>
  >;
}

interface Request {
  readonly method: string;
  /** As the description writes it. */
  readonly path: string;
  readonly query?: string;
  readonly id?: string;
  readonly body?: unknown;
  readonly token?: string | undefined;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A path of the description as a place in a schema (RFC 6901 §3, in a URI). */
const escaped = (part: string): string =>
  encodeURIComponent(part.replaceAll("~", "~0").replaceAll("/", "~1"));

/** Asks a server, and holds each answer to the description. */
class Asker {
  readonly asked = new Set<string>();
  private readonly ajv = new Ajv2020({ strict: false, validateFormats: false });
  private readonly validators = new Map<string, ValidateFunction>();

  constructor(
    private readonly url: string,
    private readonly description: Description,
  ) {
    this.ajv.addSchema(description, "openapi");
  }

  /** The body of the answer, which must have this status and be as described. */
  async ask(status: number, request: Request): Promise<unknown> {
    const { method, path, query = "", id = "", body, token, headers = {} } = request;
    const response = await fetch(`${this.url}${path.replace("{id}", id)}${query}`, {
      method,
      headers: {
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...headers,
      },
      ...(body === undefined
        ? {}
        : { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
    const name = `${method} ${path}${query} → ${response.status}`;
    expect(response.status, name).toBe(status);
    this.asked.add(`${method} ${path}`);
    const described = this.description.paths[path]?.[method.toLowerCase()]?.responses[status];
    if (described === undefined) throw new Error(`not described: ${name}`);
    const text = await response.text();
    const [type] = Object.keys(described.content ?? {});
    expect((response.headers.get("content-type") ?? "").split(";")[0], name).toBe(type ?? "");
    if (type !== "application/json") {
      expect(text.length > 0, name).toBe(type !== undefined);
      return text;
    }
    const answer: unknown = JSON.parse(text);
    const valid = this.validator(method, path, status);
    expect(valid(answer) ? [] : valid.errors, `${name}: ${text}`).toEqual([]);
    return answer;
  }

  private validator(method: string, path: string, status: number): ValidateFunction {
    const place = ["paths", path, method.toLowerCase(), "responses", `${status}`, "content"];
    const pointer = [...place, "application/json", "schema"].map(escaped).join("/");
    const held = this.validators.get(pointer);
    if (held !== undefined) return held;
    const validator = this.ajv.compile({ $ref: `openapi#/${pointer}` });
    this.validators.set(pointer, validator);
    return validator;
  }
}

test("every answer is as the description says, and every operation is asked for", async ({
  ownServer,
}) => {
  const server = await ownServer();
  const description: Description = JSON.parse(await readFile("../docs/openapi.json", "utf8"));
  const asker = new Asker(server.url, description);
  const ask = (
    status: number,
    method: string,
    path: string,
    rest: Omit<Request, "method" | "path"> = {},
  ) => asker.ask(status, { method, path, ...rest });
  const logIn = async (name: string) =>
    (await ask(200, "POST", "/api/session", { body: { name, bearer: true } })) as {
      token: string;
      user: { id: string };
    };

  await ask(200, "GET", "/healthz");
  await ask(200, "GET", "/readyz");
  await ask(200, "GET", "/api/session");
  await ask(400, "POST", "/api/session", { body: { name: "?" } });
  await ask(400, "POST", "/api/session", { body: "{" });
  await ask(415, "POST", "/api/session", { body: "{}", headers: { "content-type": "text/plain" } });
  const [ada, bob] = [await logIn("Ada"), await logIn("Bob")];
  const me = { token: ada.token };
  await ask(409, "POST", "/api/session", { body: { name: "Ada", bearer: true } });
  await ask(200, "GET", "/api/session", me);
  await ask(401, "GET", "/api/session", { token: "none" });

  const opened = (await ask(200, "POST", "/api/conversations", {
    ...me,
    body: { user: bob.user.id },
  })) as { id: string };
  await ask(404, "POST", "/api/conversations", { ...me, body: { user: crypto.randomUUID() } });
  await ask(400, "POST", "/api/conversations", { ...me, body: {} });
  await ask(401, "POST", "/api/conversations", { body: { user: bob.user.id } });
  await ask(403, "POST", "/api/conversations", {
    ...me,
    body: {},
    headers: { origin: "https://x.example" },
  });
  await sendAndPin(server.url, ada.token, opened.id);
  const inIt = { ...me, id: opened.id };
  await ask(200, "GET", "/api/conversations", me);
  await ask(400, "GET", "/api/conversations", { ...me, query: "?before=x" });
  await ask(200, "GET", "/api/conversations/{id}", inIt);
  await ask(404, "GET", "/api/conversations/{id}", { ...me, id: crypto.randomUUID() });
  for (const query of ["", "?around=1&limit=1", "?pinned=true", "?after=2"])
    await ask(200, "GET", "/api/conversations/{id}/messages", { ...inIt, query });
  await ask(400, "GET", "/api/conversations/{id}/messages", { ...inIt, query: "?limit=0" });
  await ask(404, "GET", "/api/conversations/{id}/messages", { ...me, id: "none" });

  await ask(200, "GET", "/api/users", { ...me, query: "?q=b&limit=1" });
  await ask(200, "GET", "/api/users", { ...me, query: "?online=true" });
  await ask(400, "GET", "/api/users", { ...me, query: "?online=1" });
  await ask(200, "GET", "/api/push", me);
  await ask(400, "PUT", "/api/push/subscription", {
    ...me,
    body: { endpoint: "x", keys: { p256dh: "x", auth: "x" } },
  });
  await ask(204, "DELETE", "/api/push/subscription", me);
  // `fetch` cannot ask for an upgrade.
  await ask(400, "GET", "/api/socket", me);
  await ask(204, "PUT", "/api/session/visibility", { ...me, body: { invisible: true } });
  await ask(200, "GET", "/api/sessions", me);
  await ask(404, "DELETE", "/api/sessions/{id}", { ...me, id: "none" });
  const set = (await ask(200, "PUT", "/api/session/password", {
    ...me,
    body: { password: "a long winding road" },
  })) as { token: string };
  await ask(401, "POST", "/api/session", { body: { name: "Ada", password: "another one" } });
  await ask(204, "DELETE", "/api/session", { token: set.token });
  await ask(204, "DELETE", "/api/sessions", { token: bob.token });
  await ask(401, "GET", "/api/conversations", { token: bob.token });

  const described = Object.entries(description.paths).flatMap(([path, operations]) =>
    Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`),
  );
  expect([...asker.asked].sort()).toEqual(described.sort());
});

/** Says something, and pins it. */
async function sendAndPin(url: string, token: string, conversation: string): Promise<void> {
  const { WebSocket } = await import("ws");
  const headers = { authorization: `Bearer ${token}` };
  const socket = new WebSocket(`${url.replace("http", "ws")}/api/socket`, "tidings.v2", {
    headers,
  });
  const say = (frame: object) => socket.send(JSON.stringify(frame));
  const named = (number: number) => `0199a3b0-0000-7000-8000-00000000000${number}`;
  await new Promise<void>((done, failed) => {
    socket.on("open", () => say({ type: "hello", cursors: [] }));
    socket.on("close", () => failed(new Error("the connection was closed")));
    socket.on("message", (data) => {
      const frame = JSON.parse(String(data));
      if (frame.type === "error") failed(new Error(String(data)));
      const send = { type: "send", conversation };
      if (frame.type === "synced")
        say({ ...send, client_id: named(1), kind: "message", body: "Are you there?" });
      if (frame.type === "stored" && frame.seq === 1)
        say({ ...send, client_id: named(2), kind: "pin", target: 1, on: true });
      if (frame.type === "stored" && frame.seq === 2) done();
    });
  });
  socket.removeAllListeners("close");
  socket.close();
}
