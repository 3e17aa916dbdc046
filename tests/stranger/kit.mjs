// What the checks of `conformance.mjs` are made of: users, requests, sockets, exact shapes and time-outs.

import assert from "node:assert/strict";
import { AsyncLocalStorage } from "node:async_hooks";
import { randomBytes, randomInt } from "node:crypto";
import { once } from "node:events";
import http from "node:http";
import net from "node:net";
import { WebSocket } from "ws";
import { Client, wait } from "./client.mjs";
import { newClientId } from "./outbox.mjs";

export const server = { url: undefined, host: undefined, port: undefined };

export function useServer(url) {
  const { hostname, port, origin } = new URL(url);
  Object.assign(server, { url: origin, host: hostname, port: Number(port || 80) });
}

/** Fails with `what` if the promise takes longer than `ms`. */
export function within(promise, ms, what) {
  let timer;
  const timeout = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new assert.AssertionError({ message: `no ${what} within ${ms} ms` })), ms);
  });
  return Promise.race([promise, timeout]).finally(() => clearTimeout(timer));
}

// Shapes

const describe = (value) => JSON.stringify(value) ?? String(value);
const test = (name, isRight) => Object.assign(isRight, { expected: name });

export const is = {
  uuid: test("a UUID in lower case", (value) => /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/.test(value)),
  time: test("a time with three decimals", (value) => /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(value)),
  day: test("a day", (value) => /^\d{4}-\d\d-\d\d$/.test(value)),
  number: test("a whole number from 0", (value) => Number.isSafeInteger(value) && value >= 0),
  positive: test("a whole number from 1", (value) => Number.isSafeInteger(value) && value >= 1),
  text: test("a string that is not empty", (value) => typeof value === "string" && value !== ""),
  boolean: test("a boolean", (value) => typeof value === "boolean"),
  list: test("a list", Array.isArray),
  token: test("a token of 43 characters", (value) => /^[A-Za-z0-9_-]{43}$/.test(value)),
  optional: (isRight) => Object.assign(test(isRight.expected, (value) => isRight(value)), { isOptional: true }),
};

/** Compares exactly: the same fields, and each value equal or accepted by its test. Lists are in order. */
export function assertShape(value, shape, path = "") {
  const at = path || "the value";
  if (typeof shape === "function") {
    assert.ok(shape(value), `${at} should be ${shape.expected}, but is ${describe(value)}`);
  } else if (shape !== null && typeof shape === "object") {
    assert.ok(value !== null && typeof value === "object", `${at} should be ${describe(shape)}, but is ${describe(value)}`);
    const isThere = (key) => shape[key] !== undefined && !(shape[key]?.isOptional && value[key] === undefined);
    const expected = Object.keys(shape).filter(isThere);
    assert.deepEqual(Object.keys(value).sort(), expected.sort(), `the fields of ${path || describe(value)}`);
    for (const key of expected) assertShape(value[key], shape[key], path ? `${path}.${key}` : key);
  } else {
    assert.equal(value, shape, `${at} should be ${describe(shape)}, but is ${describe(value)}`);
  }
}

// Requests

const agent = new http.Agent({ keepAlive: true, timeout: 3000 });

/** Sends one request; `body` is sent as JSON unless it is a string or a buffer. Resolves to the whole answer. */
export function request(method, path, { token, body, headers = {} } = {}) {
  const isRaw = body === undefined || typeof body === "string" || Buffer.isBuffer(body);
  const content = isRaw ? body : JSON.stringify(body);
  const all = {
    ...(token && { Authorization: `Bearer ${token}` }),
    ...(content !== undefined && { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(content) }),
    ...headers,
  };
  for (const name of Object.keys(all)) if (all[name] === undefined) delete all[name];
  const answer = new Promise((resolve, reject) => {
    const call = http.request({ host: server.host, port: server.port, method, path, agent, headers: all }, (response) => {
      const chunks = [];
      response.on("data", (chunk) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () => {
        const text = Buffer.concat(chunks).toString();
        const isJson = (response.headers["content-type"] ?? "").startsWith("application/json");
        resolve({ status: response.statusCode, headers: response.headers, text, body: isJson && text ? JSON.parse(text) : undefined });
      });
    });
    call.on("error", reject);
    call.end(content);
  });
  return within(answer, 30_000, `answer to ${method} ${path}`);
}

/** Sends bytes on a connection of their own, and resolves to what comes until the server closes it. */
export function exchange(bytes, { ms = 30_000, onConnect = () => {} } = {}) {
  const connection = net.connect(server.port, server.host);
  const whole = new Promise((resolve) => {
    const chunks = [];
    connection.on("data", (chunk) => chunks.push(chunk));
    connection.on("error", () => {});
    connection.on("close", () => resolve(Buffer.concat(chunks).toString("latin1")));
    connection.write(bytes);
    onConnect(connection);
  });
  return within(whole, ms, "end of the connection").finally(() => connection.destroy());
}

/** Splits the raw text of an answer. */
export function parseAnswer(raw) {
  const [head, ...rest] = raw.split("\r\n\r\n");
  const body = rest.join("\r\n\r\n");
  return { status: Number(head.split(" ")[1]), head, text: body, body: body.startsWith("{") ? JSON.parse(body) : undefined };
}

/** Asserts that an answer is a `Problem` with exactly these fields besides `message`. */
export function assertProblem(answer, status, problem) {
  assert.equal(answer.status, status, `the status; the body is ${answer.text}`);
  assertShape(answer.body, { message: is.text, ...problem });
}

// Users

const letters = (count) => Array.from({ length: count }, () => "abcdefghijklmnopqrstuvwxyz"[randomInt(26)]).join("");
export const freshName = (name = "Tess") => `${name} ${letters(10)}`;
export const PASSWORD = "correct-horse-7-battery";

/** What a check has to tidy up. */
const scope = new AsyncLocalStorage();

/** Runs a check, then logs its users out, so that nobody stays online, and drops its sockets. */
export async function tidily(run) {
  const mess = { users: [], sockets: [] };
  try {
    return await scope.run(mess, run);
  } finally {
    await Promise.allSettled(mess.users.map((user) => user.call("DELETE", "/api/session")));
    for (const socket of mess.sockets) socket.ws.terminate();
  }
}

/** Logs a user in, and tells the answer if that fails. */
export async function logIn(body, options) {
  const answer = await request("POST", "/api/session", { body: { bearer: true, ...body }, ...options });
  assert.equal(answer.status, 200, answer.text);
  const user = { ...answer.body.user, token: answer.body.token, session: answer.body };
  user.shown = answer.body.user;
  user.call = (method, path, call) => request(method, path, { token: user.token, ...call });
  user.get = async (path) => {
    const got = await user.call("GET", path);
    assert.equal(got.status, 200, got.text);
    return got.body;
  };
  scope.getStore()?.users.push(user);
  return user;
}

export const newUser = (name, body) => logIn({ name: freshName(name), ...body });

export async function openConversation(user, other) {
  const answer = await user.call("POST", "/api/conversations", { body: { user: other.id } });
  assert.equal(answer.status, 200, answer.text);
  return answer.body.id;
}

/** Two users with a conversation, but without sockets. */
export async function newSilentPair() {
  const [ada, bob] = await Promise.all([newUser("Ada"), newUser("Bob")]);
  return { ada, bob, conversation: await openConversation(ada, bob) };
}

/** Two users with a conversation, each with a live socket. */
export async function newPair() {
  const { ada, bob, conversation } = await newSilentPair();
  const [adas, bobs] = await Promise.all([Socket.live(ada), Socket.live(bob)]);
  return { ada, bob, conversation, adas, bobs };
}

/** A client of `client.mjs` that is live. */
export async function newClient(options) {
  const client = new Client(server.url, options);
  await client.logIn(freshName("Client"));
  const user = { call: (method, path) => request(method, path, { token: client.api.token }) };
  scope.getStore()?.users.push(user);
  scope.getStore()?.sockets.push({ ws: { terminate: () => client.stop() } });
  client.start();
  await within(once(client, "conversations"), WAIT_MS, "list of conversations");
  return client;
}

// Sockets

const WAIT_MS = 15_000;

export class Socket {
  /** Opens a socket without `hello`. Resolves when it is upgraded. */
  static async open(user, { headers, protocols = "tidings.v2", ...options } = {}) {
    const socket = new Socket(user, protocols, { headers: { ...(user && { Authorization: `Bearer ${user.token}` }), ...headers }, ...options });
    await within(socket.opened, WAIT_MS, "upgrade");
    return socket;
  }

  /** Opens a socket and says `hello`. Resolves at `synced` and the first `presence`. */
  static async live(user, hello = {}, options = {}) {
    const socket = await Socket.open(user, options);
    socket.send({ type: "hello", cursors: [], ...hello });
    socket.welcome = await socket.next("welcome");
    await Promise.all([socket.next("synced"), socket.next("presence")]);
    return socket;
  }

  constructor(user, protocols, options) {
    this.user = user;
    this.frames = [];
    this.taken = new Set();
    this.waiting = new Set();
    this.ws = new WebSocket(`ws://${server.host}:${server.port}/api/socket`, protocols, { perMessageDeflate: false, ...options });
    this.opened = new Promise((resolve, reject) => {
      this.ws.on("open", resolve);
      this.ws.on("error", reject);
    });
    this.opened.catch(() => {});
    this.closed = new Promise((resolve) => this.ws.on("close", resolve));
    scope.getStore()?.sockets.push(this);
    this.ws.on("message", (data, isBinary) => {
      assert.ok(!isBinary, "a frame of the server is text");
      this.frames.push(JSON.parse(data));
      for (const check of this.waiting) check();
    });
  }

  send(...frames) {
    for (const frame of frames) this.ws.send(typeof frame === "string" || Buffer.isBuffer(frame) ? frame : JSON.stringify(frame));
  }

  /** Writes bytes under the WebSocket layer, to break its rules. */
  sendRaw(bytes) { this.ws._socket.write(bytes); }

  /** Resolves to the first frame not taken yet that is of a type, or that passes a test, and takes it. */
  next(wanted, ms = WAIT_MS) {
    const isWanted = typeof wanted === "function" ? wanted : (frame) => frame.type === wanted;
    const found = new Promise((resolve, reject) => {
      const check = () => {
        const index = this.frames.findIndex((frame, at) => !this.taken.has(at) && isWanted(frame));
        if (index < 0) return;
        this.waiting.delete(check);
        this.taken.add(index);
        resolve(this.frames[index]);
      };
      this.waiting.add(check);
      this.closed.then((code) => reject(new assert.AssertionError({ message: `the socket was closed with ${code} while waiting for ${wanted}` })));
      check();
    });
    const seen = () => describe(this.frames.slice(-5));
    return within(found, ms, `frame ${wanted}`).catch((error) => {
      error.message += `; the last frames are ${seen()}`;
      throw error;
    });
  }

  /** Asserts the next frame of this type. */
  async expect(type, shape, ms) {
    const frame = await this.next(type, ms);
    try {
      assertShape(frame, { type, ...shape });
    } catch (error) {
      error.message += `; the frame is ${describe(frame)}`;
      throw error;
    }
    return frame;
  }

  /** Waits until the server has handled everything that was sent. */
  async pong() {
    this.send({ type: "ping" });
    await this.expect("pong", {});
  }

  /** Sends an operation and resolves to its answer. Returns also the `client_id`. */
  async store(conversation, content, clientId = newClientId()) {
    this.send({ type: "send", client_id: clientId, conversation, ...content });
    return this.next((frame) => ["stored", "error"].includes(frame.type) && frame.client_id === clientId);
  }

  /** Stores a message and resolves to its number. */
  async say(conversation, body = "Hello") {
    const answer = await this.store(conversation, { kind: "message", body });
    assert.equal(answer.type, "stored", describe(answer));
    return answer.seq;
  }

  /** Stores many operations, each again when it is refused for now. */
  async storeAll(conversation, contents) {
    for (const content of contents) {
      const clientId = newClientId();
      let answer = await this.store(conversation, content, clientId);
      while (answer.retry_after_ms) {
        await wait(answer.retry_after_ms);
        answer = await this.store(conversation, content, clientId);
      }
      assert.equal(answer.type, "stored", describe(answer));
    }
  }

  count(type) { return this.frames.filter((frame) => frame.type === type).length; }

  /** Asserts the code with which the server closes. */
  async expectClose(code, ms = WAIT_MS) {
    assert.equal(await within(this.closed, ms, `close with ${code}`), code, "the close code");
  }

  async close() {
    this.ws.close(1000);
    await within(this.closed, WAIT_MS, "end of the socket");
  }
}

/** Sends a request to upgrade with these headers changed, or left out where undefined. Resolves to the answer. */
export function upgrade(token, changed = {}) {
  const headers = {
    Connection: "Upgrade", Upgrade: "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Protocol": "tidings.v2",
    "Sec-WebSocket-Key": randomBytes(16).toString("base64"), Authorization: token && `Bearer ${token}`, ...changed,
  };
  for (const name of Object.keys(headers)) if (headers[name] === undefined) delete headers[name];
  const answer = new Promise((resolve, reject) => {
    const call = http.request({ host: server.host, port: server.port, path: "/api/socket", headers, agent: false });
    call.on("upgrade", (response, connection) => {
      connection.destroy();
      resolve({ status: response.statusCode, headers: response.headers });
    });
    call.on("response", (response) => {
      let text = "";
      response.on("data", (chunk) => { text += chunk; });
      response.on("end", () => resolve({ status: response.statusCode, headers: response.headers, text, body: JSON.parse(text) }));
    });
    call.on("error", reject);
    call.end();
  });
  return within(answer, WAIT_MS, "answer to the upgrade");
}
