// Checks a running server against the protocol reference: `node conformance.mjs http://127.0.0.1:8080`.
//
// The server must run with the default settings, except for TIDINGS_FAULTS=on and a high TIDINGS_LOGINS_PER_MINUTE.
// A check that the server fails does not stop the others. `node conformance.mjs URL words` runs only the checks
// whose name contains these words.

import assert from "node:assert/strict";
import { once } from "node:events";
import net from "node:net";
import { wait } from "./client.mjs";
import {
  PASSWORD, Socket, assertProblem, assertShape, exchange, freshName, is, logIn, newClient, newPair, newSilentPair, newUser,
  openConversation, parseAnswer, request, server, tidily, upgrade, useServer, within,
} from "./kit.mjs";
import { newClientId } from "./outbox.mjs";

/** What a client cannot provoke over loopback within a minute, and why. */
export const NOT_TRIED = [
  ["frame hidden", "needs an event of a kind that the server does not know, which no client can store"],
  ["error storage_unavailable, readyz 503 without a database", "needs the database to be stopped"],
  ["error internal, in HTTP and as a frame", "needs a fault of the server that no client can cause"],
  ["a new epoch; reset of a log that was undone", "needs an older state of the database to be restored"],
  ["close code 1012", "needs the server to be stopped"],
  ["close codes 1001 and 1011", "come from a proxy"],
  ["close code 4012", "needs the database to be away while a session is confirmed"],
  ["429 for 60 log-ins a minute from one address", "that setting is raised for these checks"],
  ["429 for 100 wrong passwords from several addresses", "needs ten addresses, and minutes"],
  ["503 busy while too many passwords are checked", "its limit is not told; 200 at once are accepted"],
  ["503 busy for 20,000 connections", "more than 1,000 from one address are refused first"],
  ["busy for 10,000 operations waiting to be stored", "needs 500 users and a database that hangs"],
  ["128 conversations with positions waiting to be stored", "dropped without an answer, and only while the database hangs"],
  ["rate_limited for 100 MiB a day", "needs more than 20 minutes at 5 operations a second"],
  ["32 frames that are not handled yet", "cannot be told from outside"],
  ["4008 for a replay when memory is short", "needs 32 MiB of replays that nobody reads"],
  ["a presence_diff with the count alone", "needs more than 300 users to stay online for 10 s more"],
  ["a session that ends by its age; a name that is free again", "need weeks"],
  ["the __Host- cookie", "needs a proxy with TLS"],
  ["an Origin of TIDINGS_ORIGINS", "needs a setting"],
  ["PushNotice; the eleventh subscription; 404 without pushes", "need a push service, or a setting"],
  ["/metrics and the readyz with details", "are on a listener whose address is not given to this program"],
  ["pings every 25 s", "the first one, after 10 s, is checked; the next one needs half a minute more"],
  ["a connection that is slow to read misses a typing", "needs a queue that is full but not too full"],
];

const checks = { slow: [], quick: [], alone: [] };
const check = (name, run) => checks.quick.push({ name, run });
/** A check that mostly waits: it runs beside all others. */
const checkSlowly = (name, run) => checks.slow.push({ name, run });
/** A check that disturbs others: it runs when they are done, by itself. */
const checkAlone = (name, run) => checks.alone.push({ name, run });

const LIMITS = {
  text_max_chars: 4000, unacknowledged_sends: 32, sends_per_second: 5, sends_burst: 20, typing_interval_ms: 3000,
  typing_expiry_ms: 6000, receipt_interval_ms: 250, reconnect_min_ms: 500, reconnect_max_ms: 20000, history_page_max: 100,
};

const json = JSON.stringify;
const message = (body) => ({ kind: "message", body });
const pin = (target, on = true) => ({ kind: "pin", target, on });
const LONG = "😀".repeat(4000);
const times = (count, make) => Array.from({ length: count }, (_, index) => make(index));
const numbers = (from, to) => times(to - from + 1, (index) => from + index);
const seqs = (page) => page.messages.map(({ seq }) => seq);
const byUser = (list) => new Map(list.map((member) => [member.user.id, member]));
const elapsedSince = (start) => Date.now() - start;
const inList = (frame, key, id) => (frame[key] ?? []).some((one) => (one.id ?? one) === id);
const host = () => `Host: ${server.host}:${server.port}\r\n`;
const close = "Connection: close\r\n";
const sessionCookie = (answer) => answer.headers["set-cookie"][0].split(";")[0];
const postSession = (body, options) => request("POST", "/api/session", { body, ...options });

/** Asks again until the answer is as wanted. */
async function eventually(ask, isWanted, ms = 15_000) {
  const start = Date.now();
  for (;;) {
    const answer = await ask();
    if (isWanted(answer)) return answer;
    assert.ok(elapsedSince(start) < ms, `after ${ms} ms the answer still is ${json(answer)}`);
    await wait(50);
  }
}

/** Asserts a refusal for now: 429 or 503, with the wait in the body and in whole seconds in the header. */
function assertRefusedForNow(answer, status, code) {
  assertProblem(answer, status, { code, retry_after_ms: is.positive });
  assert.equal(answer.headers["retry-after"], String(Math.ceil(answer.body.retry_after_ms / 1000)));
}

const eventShape = (conversation, seq, sender, content) =>
  ({ conversation, seq, sender: sender.id, client_id: is.uuid, at: is.time, ...content });

/** Asserts a `Conversation`, with members in any order. */
function assertConversation(value, { members, ...rest }) {
  const sorted = (list) => [...list].sort((a, b) => (a.user.id < b.user.id ? -1 : 1));
  const last_at = rest.last_seq === 0 ? null : is.time;
  const shape = { id: is.uuid, last_seq: is.number, last_at, last: null, unread: 0, pins: [], ...rest };
  const withDefaults = members.map((member) => ({ delivered: 0, read: 0, last_seen: is.optional(is.time), ...member }));
  assertShape({ ...value, members: sorted(value.members) }, { ...shape, members: sorted(withDefaults) });
}

// Sessions

check("a new name is logged in with a token", async () => {
  const name = freshName();
  const answer = await postSession({ name, bearer: true });
  assert.equal(answer.status, 200);
  assertShape(answer.body, { user: { id: is.uuid, name }, has_password: false, invisible: false, token: is.token });
  const again = await request("GET", "/api/session", { token: answer.body.token });
  assertShape(again.body, { user: answer.body.user, has_password: false, invisible: false });
});

check("a name is trimmed and brought to NFKC", async () => {
  const name = freshName();
  const user = await logIn({ name: `  ${name.replace("T", "Ｔ")} ` });
  assert.equal(user.name, name);
});

const NAME_RULES = {
  empty: "", too_short: "a", too_long: "a".repeat(33), invisible: "ab\u200bcd", not_allowed: "ab<cd", edge: "-abc",
  doubled_separator: "ab--cd", too_many_marks: "q\u0300\u0301\u0302\u0303\u0304x", mixed_scripts: "abсd", reserved: "admin",
};
for (const [rule, name] of Object.entries(NAME_RULES)) {
  check(`a name that breaks the rule ${rule} is invalid_name`, async () => {
    assertProblem(await postSession({ name, bearer: true }), 400, { code: "invalid_name", field: "name", rule });
  });
}

const PASSWORD_RULES = {
  too_short: "abcdefg", too_long: "a".repeat(129), common: "password123", like_name: (name) => name, repetitive: "xkxkxkxkxk",
};
for (const [rule, password] of Object.entries(PASSWORD_RULES)) {
  check(`a password that breaks the rule ${rule} is invalid_password`, async () => {
    const name = freshName();
    const answer = await postSession({ name, bearer: true, password: typeof password === "string" ? password : password(name) });
    assertProblem(answer, 400, { code: "invalid_password", field: "password", rule });
  });
}

check("the fields of a log-in are checked", async () => {
  assertProblem(await postSession({ bearer: true }), 400, { code: "invalid_field", message: is.text, field: "name" });
  assertProblem(await postSession({ name: 5 }), 400, { code: "invalid_field", field: "name" });
  assertProblem(await postSession({ name: freshName(), bearer: "true" }), 400, { code: "invalid_field", field: "bearer" });
  assertProblem(await postSession({ name: freshName(), password: 5 }), 400, { code: "invalid_field", field: "password" });
});

check("an empty password counts as left out", async () => {
  const user = await newUser("Tess", { password: "" });
  assert.equal(user.session.has_password, false);
});

check("a name without a password is taken, and so are names that look like it", async () => {
  const { name } = await newUser("Olli");
  for (const other of [name, name.toUpperCase(), name.replace(" ", "-"), name.replace(" ", ""), name.replace("O", "0")]) {
    assertProblem(await postSession({ name: other, bearer: true }), 409, { code: "name_taken", field: "name" });
  }
  assertProblem(await postSession({ name, bearer: true, password: PASSWORD }), 409, { code: "name_taken", field: "name" });
});

check("a name with a password opens with it only", async () => {
  const { id, name, session } = await newUser("Tess", { password: PASSWORD });
  assert.equal(session.has_password, true);
  assertProblem(await postSession({ name, bearer: true }), 401, { code: "password_required", field: "password" });
  assertProblem(await postSession({ name, bearer: true, password: `${PASSWORD}!` }), 401, { code: "wrong_password", field: "password" });
  assert.equal((await logIn({ name: name.toLowerCase(), password: PASSWORD })).id, id);
});

check("a live session opens another one without the password, but no token if there is one", async () => {
  const user = await newUser();
  const second = await logIn({ name: user.name }, { token: user.token });
  assert.equal(second.id, user.id);
  assert.notEqual(second.token, user.token);
  const owner = await newUser("Tess", { password: PASSWORD });
  assertProblem(await postSession({ name: owner.name, bearer: true }, { token: owner.token }), 401, { code: "password_required", field: "password" });
  assert.equal((await postSession({ name: owner.name }, { token: owner.token })).status, 200);
});

check("a page gets no token", async () => {
  const ask = (headers) => postSession({ name: freshName(), bearer: true }, { headers });
  const problem = { code: "forbidden_origin", field: "bearer" };
  assertProblem(await ask({ Origin: server.url }), 403, problem);
  assertProblem(await ask({ "Sec-Fetch-Site": "same-origin" }), 403, problem);
  assertProblem(await ask({ Origin: server.url, Cookie: "a=b" }), 403, problem);
});

check("a request with the session cookie gets no token, and other cookies do not matter", async () => {
  const ask = (headers) => postSession({ name: freshName(), bearer: true }, { headers });
  const other = await ask({ Cookie: "a=b" });
  assert.equal(other.status, 200, other.text);
  const Cookie = sessionCookie(await postSession({ name: freshName() }, { headers: { Origin: server.url } }));
  assertProblem(await ask({ Cookie }), 403, { code: "forbidden_origin" });
  assertProblem(await ask({ Cookie, Authorization: `Bearer ${other.body.token}` }), 403, { code: "forbidden_origin", field: "bearer" });
});

check("a browser gets a cookie, and a log-in ends the session that it held", async () => {
  const headers = { Origin: server.url };
  const first = await postSession({ name: freshName() }, { headers });
  assertShape(first.body, { user: { id: is.uuid, name: is.text }, has_password: false, invisible: false });
  const [cookie] = first.headers["set-cookie"];
  assert.match(cookie, new RegExp(`^tidings_session_${server.port}=[^;]+;`));
  assert.match(cookie, /; HttpOnly(;|$)/);
  assert.match(cookie, /; SameSite=Strict(;|$)/);
  const held = { ...headers, Cookie: sessionCookie(first) };
  assert.deepEqual((await request("GET", "/api/session", { headers: held })).body.user, first.body.user);
  const second = await postSession({ name: freshName() }, { headers: held });
  assertShape((await request("GET", "/api/session", { headers: held })).body, { user: null });
  const fresh = { ...headers, Cookie: sessionCookie(second) };
  const password = await request("PUT", "/api/session/password", { headers: fresh, body: { password: PASSWORD } });
  assert.equal(password.status, 204);
  assert.notEqual(sessionCookie(password), fresh.Cookie);
  const last = { ...headers, Cookie: sessionCookie(password) };
  const socket = await Socket.open(undefined, { headers: last });
  assert.equal((await request("DELETE", "/api/session", { headers: last })).status, 204);
  await socket.expectClose(4501);
});

check("when a token and a cookie are sent, the cookie is ignored", async () => {
  const user = await newUser();
  const other = await postSession({ name: freshName() }, { headers: { Origin: server.url } });
  const answer = await user.call("GET", "/api/session", { headers: { Cookie: sessionCookie(other) } });
  assert.deepEqual(answer.body.user, user.shown);
});

check("without a session there is NoSession, with an invalid token 401", async () => {
  assertShape((await request("GET", "/api/session")).body, { user: null });
  assertProblem(await request("GET", "/api/session", { token: "x" }), 401, { code: "unauthorized" });
  assertProblem(await request("GET", "/api/session", { headers: { Authorization: "Basic eDp4" } }), 401, { code: "unauthorized" });
});

check("a request that needs a session is 401 without one", async () => {
  const id = newClientId();
  const requests = [
    ["DELETE", "/api/session"], ["PUT", "/api/session/password"], ["PUT", "/api/session/visibility"], ["GET", "/api/sessions"],
    ["DELETE", "/api/sessions"], ["DELETE", `/api/sessions/${"0".repeat(64)}`], ["GET", "/api/users"], ["POST", "/api/conversations"],
    ["GET", "/api/conversations"], ["GET", `/api/conversations/${id}`], ["GET", `/api/conversations/${id}/messages`],
    ["GET", "/api/push"], ["PUT", "/api/push/subscription"], ["DELETE", "/api/push/subscription"],
  ];
  for (const [method, path] of requests) {
    const body = method === "PUT" || method === "POST" ? {} : undefined;
    assertProblem(await request(method, path, { body }), 401, { code: "unauthorized" });
  }
});

check("a log-out ends the session and closes its sockets with 4501", async () => {
  const user = await newUser();
  const socket = await Socket.live(user);
  assert.equal((await user.call("DELETE", "/api/session")).status, 204);
  await socket.expectClose(4501);
  assertProblem(await user.call("GET", "/api/users"), 401, { code: "unauthorized" });
  assert.equal((await upgrade(user.token)).status, 401);
});

check("a new password ends every other session and replaces the token", async () => {
  const user = await newUser();
  const other = await logIn({ name: user.name }, { token: user.token });
  const [socket, others] = await Promise.all([Socket.live(user), Socket.live(other)]);
  const answer = await user.call("PUT", "/api/session/password", { body: { password: PASSWORD } });
  assert.equal(answer.status, 200);
  assertShape(answer.body, { user: user.shown, has_password: true, invisible: false, token: is.token });
  await others.expectClose(4501);
  await socket.pong();
  assertProblem(await user.call("GET", "/api/session"), 401, { code: "unauthorized" });
  assertProblem(await other.call("GET", "/api/session"), 401, { code: "unauthorized" });
  user.token = answer.body.token;
  assert.equal((await user.get("/api/session")).has_password, true);
});

check("a password is changed only with the present one", async () => {
  const user = await newUser("Tess", { password: PASSWORD });
  const change = (body) => user.call("PUT", "/api/session/password", { body });
  assertProblem(await change({ password: "another-fine-9-password" }), 401, { code: "wrong_password", field: "current" });
  assertProblem(await change({ password: "another-fine-9-password", current: "wrong-wrong" }), 401, { code: "wrong_password", field: "current" });
  assertProblem(await change({ password: "short", current: PASSWORD }), 400, { code: "invalid_password", field: "password", rule: "too_short" });
  assertProblem(await change({ current: PASSWORD }), 400, { code: "invalid_field", field: "password" });
  assert.equal((await change({ password: "another-fine-9-password", current: PASSWORD })).status, 200);
});

check("sessions are listed, the most recently used first, and ended one by one or all at once", async () => {
  const browser = { "User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0" };
  const user = await newUser();
  const other = await logIn({ name: user.name }, { token: user.token, headers: browser });
  const third = await logIn({ name: user.name }, { token: user.token, headers: { "User-Agent": "curl/8.5.0" } });
  const { sessions } = await user.get("/api/sessions");
  assert.equal(sessions.length, 3);
  const hexadecimal = Object.assign((value) => /^[0-9a-f]{64}$/.test(value), { expected: "64 hexadecimal digits" });
  const [own, firefox, curl] = [(one) => one.current, (one) => one.browser === "Firefox", (one) => one.browser === "curl"].map((test) => sessions.find(test));
  const shape = { id: hexadecimal, created: is.time, last_used: new Date().toISOString().slice(0, 10) };
  assertShape(own, { ...shape, current: true });
  assertShape(firefox, { ...shape, current: false, browser: "Firefox", system: "Linux" });
  assertShape(curl, { ...shape, current: false, browser: "curl" });
  const socket = await Socket.live(other);
  assert.equal((await user.call("DELETE", `/api/sessions/${firefox.id}`)).status, 204);
  await socket.expectClose(4501);
  for (const id of [firefox.id, "zz"]) assertProblem(await user.call("DELETE", `/api/sessions/${id}`), 404, { code: "not_found" });
  const thirds = await Socket.live(third);
  assert.equal((await user.call("DELETE", "/api/sessions")).status, 204);
  await thirds.expectClose(4501);
  assertProblem(await user.call("GET", "/api/sessions"), 401, { code: "unauthorized" });
});

/** Tries wrong passwords until there were too many. More than ten may pass, since a new one is allowed every 6 s. */
async function assertTenAttempts(attempt, field) {
  let answer, tried = 0;
  const start = Date.now();
  for (; tried < 40; tried += 1) {
    answer = await attempt();
    if (answer.status !== 401) break;
    assertProblem(answer, 401, { code: "wrong_password", field });
  }
  assertRefusedForNow(answer, 429, "rate_limited");
  assert.ok(tried >= 10 && tried <= 11 + elapsedSince(start) / 6000, `${tried} were tried`);
}

check("ten wrong passwords for a name are the most in a minute", async () => {
  const { name } = await newUser("Tess", { password: PASSWORD });
  await assertTenAttempts(() => postSession({ name, bearer: true, password: "wrong-wrong-1" }), "password");
});

check("ten wrong present passwords of a user are the most in a minute", async () => {
  const user = await newUser("Tess", { password: PASSWORD });
  const body = { password: "another-fine-9-password", current: "wrong-wrong-1" };
  await assertTenAttempts(() => user.call("PUT", "/api/session/password", { body }), "current");
});

checkSlowly("500 log-ins to a name with its password are the most in a day", async () => {
  const user = await newUser("Tess", { password: PASSWORD });
  const { name } = user;
  let accepted = 0, refused;
  const work = async () => {
    while (!refused && accepted <= 510) {
      const answer = await postSession({ name, bearer: true, password: PASSWORD });
      if (answer.status === 200) accepted += 1;
      else refused = answer;
    }
  };
  await Promise.all([work(), work()]);
  assert.ok(accepted >= 499 && accepted <= 501, `${accepted} log-ins were accepted`);
  assert.equal((await user.get("/api/sessions")).sessions.length, 200, "at most 200 sessions are listed");
  assertRefusedForNow(refused, 429, "rate_limited");
});

// Common errors

/** Sends raw bytes and parses the answer. */
const raw = async (bytes, options) => parseAnswer(await exchange(bytes, options));

check("a target that is not a path, and not exactly one host, are bad_request", async () => {
  assertProblem(await raw(`GET healthz HTTP/1.1\r\n${host()}${close}\r\n`), 400, { code: "bad_request" });
  assertProblem(await raw(`GET /healthz HTTP/1.1\r\n${close}\r\n`), 400, { code: "bad_request" });
  assertProblem(await raw(`GET /healthz HTTP/1.1\r\n${host()}${host()}${close}\r\n`), 400, { code: "bad_request" });
});

check("Transfer-Encoding counts alone and closes the connection, and equal lengths count as one", async () => {
  const problem = { code: "invalid_field", message: is.text, field: "name" };
  const head = `POST /api/session HTTP/1.1\r\n${host()}Content-Type: application/json\r\n`;
  const [length, chunked, body] = ["Content-Length: 7\r\n", "Transfer-Encoding: chunked\r\n", "2\r\n{}\r\n0\r\n\r\n"];
  for (const headers of [length + chunked, chunked + length, chunked]) {
    const answer = await raw(`${head}${headers}\r\n${body}`);
    assertProblem(answer, 400, problem);
    assert.match(answer.head, /^connection: close$/im);
  }
  assertProblem(await raw(`${head}${close}Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}`), 400, problem);
});

check("what cannot be read as a request is 400 without a body", async () => {
  const lengths = `POST /api/session HTTP/1.1\r\n${host()}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}`;
  for (const bytes of ["this is not HTTP\r\n\r\n", lengths]) {
    const answer = await raw(bytes);
    assert.equal(answer.status, 400);
    assert.equal(answer.text, "");
  }
});

check("no such path is not_found, another method method_not_allowed", async () => {
  assertProblem(await request("GET", "/api/nothing"), 404, { code: "not_found" });
  const { token } = await newUser();
  for (const [method, path, allowed] of [["PATCH", "/api/session", "DELETE, GET, POST"], ["POST", "/api/users", "GET"], ["POST", "/api/socket", "GET"]]) {
    const answer = await request(method, path, { token });
    assertProblem(answer, 405, { code: "method_not_allowed" });
    assert.equal(answer.headers.allow.split(", ").sort().join(", "), allowed);
  }
});

check("another host is unknown_host, an IP address and localhost are not", async () => {
  assertProblem(await request("GET", "/api/session", { headers: { Host: "chat.example.net" } }), 421, { code: "unknown_host" });
  for (const name of ["localhost", "10.1.2.3:99", "[::1]"]) {
    assert.equal((await request("GET", "/healthz", { headers: { Host: name } })).status, 200, name);
  }
});

check("headers of more than 16 KiB are 431 without a body", async () => {
  const answer = await raw(`GET /healthz HTTP/1.1\r\n${host()}${close}X: ${"a".repeat(16384)}\r\n\r\n`);
  assert.equal(answer.status, 431);
  assert.equal(answer.text, "");
  assert.equal((await raw(`GET /healthz HTTP/1.1\r\n${host()}${close}X: ${"a".repeat(15000)}\r\n\r\n`)).status, 200);
});

check("a body that is not one JSON object is bad_json", async () => {
  const user = await newUser();
  for (const body of ["{", "[]", "5", "", `{"user":"${user.id}"} {}`, Buffer.from([0x7b, 0xff, 0x7d])]) {
    assertProblem(await user.call("POST", "/api/conversations", { body }), 400, { code: "bad_json" });
  }
  const cutOff = `POST /api/session HTTP/1.1\r\n${host()}${close}Content-Type: application/json\r\nContent-Length: 20\r\n\r\n{"name"`;
  assertProblem(await raw(cutOff, { onConnect: (connection) => connection.end() }), 400, { code: "bad_json" });
});

check("an unknown field of a body is ignored, however deep", async () => {
  const user = await newUser();
  const body = `{"user":"${user.id}","x":${"[".repeat(30000)}${"]".repeat(30000)}}`;
  assert.equal((await user.call("POST", "/api/conversations", { body })).status, 200);
});

check("an optional field of a body is never null", async () => {
  for (const field of ["password", "bearer"]) {
    assertProblem(await postSession({ name: freshName(), [field]: null }), 400, { code: "invalid_field", field });
  }
});

check("fields of a body that are missing, given twice or wrong are invalid_field, unknown ones are ignored", async () => {
  const user = await newUser();
  const open = (body) => user.call("POST", "/api/conversations", { body });
  for (const body of [{}, { user: "x" }, { user: 5 }, { user: null }, `{"user":"${user.id}","user":"${user.id}"}`]) {
    assertProblem(await open(body), 400, { code: "invalid_field", field: "user" });
  }
  assert.equal((await open({ user: user.id, unknown: [1] })).status, 200);
  const invisible = { code: "invalid_field", field: "invisible" };
  for (const body of [{}, { invisible: "true" }, { invisible: null }]) {
    assertProblem(await user.call("PUT", "/api/session/visibility", { body }), 400, invisible);
  }
});

check("a body of more than 64 KiB is too_large, another media type unsupported", async () => {
  const { token, id } = await newUser();
  const post = (body, headers) => request("POST", "/api/conversations", { token, body, headers });
  const padded = (size) => json({ user: id, x: "" }).replace('""', `"${"a".repeat(size - json({ user: id, x: "" }).length)}"`);
  assert.equal((await post(padded(65536))).status, 200);
  assertProblem(await post(padded(65537)), 413, { code: "too_large" });
  for (const type of ["text/plain", undefined]) {
    assertProblem(await post(json({ user: id }), { "Content-Type": type }), 415, { code: "unsupported_media_type" });
  }
});

check("requests that change something are refused from another origin", async () => {
  const user = await newUser();
  const post = (headers) => user.call("POST", "/api/conversations", { body: { user: user.id }, headers });
  for (const headers of [{ Origin: "http://elsewhere.example" }, { Origin: "null" }, { "Sec-Fetch-Site": "cross-site" }, { "Sec-Fetch-Site": "same-site" }]) {
    assertProblem(await post(headers), 403, { code: "forbidden_origin" });
    assertProblem(await upgrade(user.token, headers), 403, { code: "forbidden_origin" });
  }
  for (const headers of [{ Origin: server.url }, { "Sec-Fetch-Site": "same-origin" }, { "Sec-Fetch-Site": "none" }]) {
    assert.equal((await post(headers)).status, 200);
  }
  const cookie = sessionCookie(await postSession({ name: freshName() }, { headers: { Origin: server.url } }));
  const withCookie = await request("POST", "/api/conversations", { body: { user: user.id }, headers: { Cookie: cookie } });
  assertProblem(withCookie, 403, { code: "forbidden_origin" });
});

checkSlowly("a connection without a request, or with half of one, or after an answer, is closed after 5 s", async () => {
  const whole = `GET /healthz HTTP/1.1\r\n${host()}\r\n`;
  await Promise.all([["", /^$/], [whole.slice(0, -2), /^$/], [whole, /^HTTP\/1.1 200 /]].map(async ([bytes, answer]) => {
    const start = Date.now();
    assert.match(await exchange(bytes), answer);
    assert.ok(elapsedSince(start) >= 4500, `closed after ${elapsedSince(start)} ms`);
  }));
});

checkSlowly("a body that does not arrive within 10 s is 408 bad_json", async () => {
  const { token } = await newUser();
  const head = `POST /api/conversations HTTP/1.1\r\n${host()}${close}Authorization: Bearer ${token}\r\nContent-Type: application/json\r\n`;
  const start = Date.now();
  assertProblem(await raw(`${head}Content-Length: 50\r\n\r\n{`), 408, { code: "bad_json" });
  assert.ok(elapsedSince(start) >= 9500, `answered after ${elapsedSince(start)} ms`);
});

check("healthz and readyz answer without a session, and HEAD too", async () => {
  const health = await request("GET", "/healthz");
  assert.equal(health.status, 200);
  assert.equal(health.text.trim(), "ok");
  const ready = await request("GET", "/readyz");
  assert.equal(ready.status, 200);
  assertShape(ready.body, { ready: true });
  for (const path of ["/healthz", "/readyz"]) {
    const head = await request("HEAD", path);
    assert.deepEqual([head.status, head.text], [200, ""]);
  }
});

// People

check("people are found by the beginning of any word, ignoring case and accents", async () => {
  const user = await newUser("Ñandú");
  const other = await newUser();
  const word = user.name.split(" ")[1];
  const find = async (q) => (await other.get(`/api/users?${new URLSearchParams({ q })}`));
  const found = { users: [{ ...user.shown, online: false }], next: null, online: is.number };
  for (const q of [word, word.toUpperCase(), `nandu ${word.slice(0, 6)}`]) assertShape(await find(q), found);
  assertShape(await find(word.slice(1)), { users: [], next: null, online: is.number });
});

check("people are sorted by name and paged with next", async () => {
  const user = await newUser();
  const word = freshName().split(" ")[1];
  for (const first of ["Cyd", "Abe", "Bea"]) await logIn({ name: `${first} ${word}` });
  const page = (more) => user.get(`/api/users?${new URLSearchParams({ q: word, limit: 2, ...more })}`);
  const names = (list) => list.map(({ name }) => name.split(" ")[0]);
  const first = await page();
  assert.deepEqual(names(first.users), ["Abe", "Bea"]);
  assert.equal(typeof first.next, "string");
  const second = await page({ after: first.next });
  assert.deepEqual(names(second.users), ["Cyd"]);
  assert.equal(second.next, null);
  const all = await user.get("/api/users?q=&limit=100");
  assert.ok(all.users.length > 1);
});

check("people who are online have no last_seen, those who left have one", async () => {
  const { ada, bob, adas } = await newPair();
  const find = async (online) => (await bob.get(`/api/users?q=${ada.name.split(" ")[1]}${online}`)).users;
  for (const online of ["", "&online=true", "&online=false"]) assertShape(await find(online), [{ ...ada.shown, online: true }]);
  const second = await logIn({ name: ada.name }, { token: ada.token });
  await ada.call("DELETE", "/api/session");
  await adas.expectClose(4501);
  assertShape(await find("&online=true"), []);
  assertShape(await find(""), [{ ...second.shown, online: false, last_seen: is.optional(is.time) }]);
  const [{ last_seen: lastSeen }] = await eventually(() => find(""), ([person]) => person.last_seen);
  assert.ok(Math.abs(Date.now() - Date.parse(lastSeen)) < 90_000);
});

check("parameters out of range, empty, given twice, not UTF-8 or with U+0000 are invalid_field", async () => {
  const { ada, conversation } = await newSilentPair();
  const refuses = async (path, queries) => {
    for (const [query, field] of queries) {
      assertProblem(await ada.call("GET", `${path}?${query}`), 400, { code: "invalid_field", field });
    }
  };
  const limits = ["limit=0", "limit=101", "limit=", "limit=x", "limit=1.0", "limit=%2B5", "limit=5&limit=5"].map((query) => [query, "limit"]);
  await refuses("/api/users", [...limits, ["q=a&q=b", "q"], ["q=%00", "q"], ["q=%ff", "q"], ["online=1", "online"], ["online=", "online"], ["after=", "after"]]);
  await refuses("/api/conversations", [...limits, ["before=", "before"], ["before=zzz", "before"]]);
  await refuses(`/api/conversations/${conversation}/messages`, [
    ...limits, ["before=-1", "before"], ["after=9007199254740992", "after"], ["around=", "around"], ["pinned=yes", "pinned"],
  ]);
  for (const two of ["before=1&after=1", "before=1&around=1", "after=1&around=1"]) {
    const answer = await ada.call("GET", `/api/conversations/${conversation}/messages?${two}`);
    assert.equal(answer.status, 400);
    assert.equal(answer.body.code, "invalid_field");
    assert.ok(two.includes(answer.body.field));
  }
  assert.equal((await ada.call("GET", `/api/conversations/${conversation}/messages?x=1&x=2&after=9007199254740991`)).status, 200);
});

// Conversations

check("two users have one conversation, whoever opens it", async () => {
  const { ada, bob, conversation } = await newSilentPair();
  const answer = await bob.call("POST", "/api/conversations", { body: { user: ada.id.toUpperCase() } });
  assert.equal(answer.body.id, conversation);
  assertConversation(answer.body, { id: conversation, last_seq: 0, members: [{ user: ada.shown }, { user: bob.shown }] });
  assert.deepEqual(await bob.get(`/api/conversations/${conversation}`), answer.body);
  assertShape(await bob.get("/api/conversations"), { conversations: [], next: null });
});

check("a conversation that does not exist or is not yours is not_found", async () => {
  const { conversation } = await newSilentPair();
  const user = await newUser();
  for (const id of [conversation, newClientId()]) {
    assertProblem(await user.call("GET", `/api/conversations/${id}`), 404, { code: "not_found" });
    assertProblem(await user.call("GET", `/api/conversations/${id}/messages`), 404, { code: "not_found" });
  }
  assertProblem(await user.call("POST", "/api/conversations", { body: { user: newClientId() } }), 404, { code: "not_found" });
});

check("conversations are listed by their newest message, and paged", async () => {
  const user = await newUser();
  const socket = await Socket.live(user);
  const others = await Promise.all(numbers(1, 3).map(() => newUser("Bob")));
  const ids = await Promise.all(others.map((other) => openConversation(user, other)));
  for (const id of [...ids, ids[0]]) await socket.say(id);
  await socket.store(ids[1], pin(1));
  const first = await user.get("/api/conversations?limit=2");
  assert.deepEqual(first.conversations.map(({ id }) => id), [ids[0], ids[2]]);
  const second = await user.get(`/api/conversations?limit=2&before=${encodeURIComponent(first.next)}`);
  assert.equal(second.next, null);
  assert.equal(second.conversations.length, 1);
  assertConversation(second.conversations[0], {
    id: ids[1], last_seq: 2, last: eventShape(ids[1], 1, user, message("Hello")), pins: [1],
    members: [{ user: user.shown }, { user: others[1].shown }],
  });
});

check("in a conversation with oneself nothing is unread and other devices get its events", async () => {
  const user = await newUser();
  const [first, second] = await Promise.all([Socket.live(user), Socket.live(user)]);
  const notes = await openConversation(user, user);
  await first.say(notes, "Milk");
  await second.expect("event", eventShape(notes, 1, user, message("Milk")));
  assertConversation(await user.get(`/api/conversations/${notes}`), {
    id: notes, last_seq: 1, last: eventShape(notes, 1, user, message("Milk")), members: [{ user: user.shown }],
  });
});

// History

/** A conversation with the messages 1 to 10 and 14; 11 to 13, 15 and 16 are changes; 2, 6 and 4 are pinned. */
async function newHistory() {
  const pair = await newPair();
  const contents = [...numbers(1, 10).map((n) => message(`m${n}`)), pin(2), pin(4), pin(6), message("m14"), pin(4, false), pin(4)];
  await pair.adas.storeAll(pair.conversation, contents);
  return pair;
}

check("pages of history cover the numbers that they say", async () => {
  const { ada, conversation } = await newHistory();
  const expected = {
    "": [[...numbers(1, 10), 14], 1, 16],
    "limit=2": [[10, 14], null, 16], "before=14&limit=2": [[9, 10], null, 13], "before=3&limit=5": [[1, 2], 1, 2],
    "before=1": [[], 1, 0], "after=0&limit=3": [[1, 2, 3], 1, null], "after=9&limit=2": [[10, 14], 10, null], "after=14": [[], 15, 16],
    "after=16": [[], 17, 16], "around=12&limit=4": [[9, 10, 14], null, 16], "around=5&limit=4": [[4, 5, 6, 7], null, null],
    "around=5&limit=1": [[5, 6], null, null], "pinned=true": [[2, 4, 6], 1, 16], "pinned=true&limit=1": [[6], null, 16],
    "pinned=true&after=2&limit=1": [[4], 3, null], "pinned=true&before=4": [[2], 1, 3],
  };
  for (const [query, [messages, from, to]] of Object.entries(expected)) {
    const page = await ada.get(`/api/conversations/${conversation}/messages?${query}`);
    assert.deepEqual(seqs(page), messages, query);
    assertShape(page, { messages: is.list, from: from ?? is.positive, to: to ?? is.number, last_seq: 16, last_at: is.time });
    assertShape(page.messages, page.messages.map(({ seq }) => eventShape(conversation, seq, ada, message(`m${seq}`))));
    const [first, last] = [messages[0], messages.at(-1)];
    if (messages.length > 0) assert.ok(page.from <= first && page.to >= last, `${query} covers ${page.from} to ${page.to}`);
  }
});

check("pages follow each other backward and forward without a gap", async () => {
  const { ada, conversation } = await newHistory();
  const page = (query) => ada.get(`/api/conversations/${conversation}/messages?limit=3&${query}`);
  let back = await page(""), backward = seqs(back);
  while (back.from > 1) {
    const next = await page(`before=${back.from}`);
    assert.equal(next.to, back.from - 1);
    backward = [...seqs(next), ...backward];
    back = next;
  }
  let forth = { to: 0, last_seq: 16 }, forward = [];
  while (forth.to < forth.last_seq) {
    const next = await page(`after=${forth.to}`);
    assert.equal(next.from, forth.to + 1);
    forward = [...forward, ...seqs(next)];
    forth = next;
  }
  assert.deepEqual(backward, [...numbers(1, 10), 14]);
  assert.deepEqual(forward, backward);
});

check("an empty log has an empty page", async () => {
  const { ada, conversation } = await newSilentPair();
  const empty = { messages: [], from: 1, to: 0, last_seq: 0, last_at: null };
  assertShape(await ada.get(`/api/conversations/${conversation}/messages`), empty);
});

check("long messages make a page shorter than its limit", async () => {
  const { ada, conversation, adas } = await newPair();
  await adas.storeAll(conversation, times(10, () => message(LONG)));
  const page = await ada.get(`/api/conversations/${conversation}/messages`);
  assert.equal(page.to, 10);
  assert.deepEqual(seqs(page), numbers(page.from, 10));
  assert.ok(page.from > 1, "all ten are on the page");
  const bytes = Buffer.byteLength(json(page.messages));
  assert.ok(bytes <= 128 * 1024 + 1024, `${bytes} bytes`);
});

check("only eight pages are sent to a user at a time, the next one is busy after 5 s", async () => {
  const { ada, bob, conversation, adas } = await newPair();
  await adas.storeAll(conversation, times(8, () => message(LONG)));
  const line = `GET /api/conversations/${conversation}/messages HTTP/1.1\r\n${host()}Authorization: Bearer ${ada.token}\r\n\r\n`;
  const readers = times(8, () => net.connect(server.port, server.host));
  for (const reader of readers) {
    reader.on("error", () => {});
    reader.pause().write(line.repeat(100));
  }
  try {
    const start = Date.now();
    let answer;
    do answer = await ada.call("GET", `/api/conversations/${conversation}/messages`); while (answer.status === 200 && elapsedSince(start) < 30_000);
    assertRefusedForNow(answer, 503, "busy");
    assert.ok(elapsedSince(start) >= 4500, `refused after ${elapsedSince(start)} ms`);
    assert.equal((await bob.call("GET", `/api/conversations/${conversation}/messages`)).status, 200);
  } finally {
    for (const reader of readers) reader.destroy();
  }
});

checkSlowly("a connection is reset when nothing of an answer is read for 20 s", async () => {
  const { ada, conversation, adas } = await newPair();
  await adas.storeAll(conversation, times(8, () => message(LONG)));
  const reader = net.connect(server.port, server.host);
  let bytes = 0;
  reader.on("error", () => {}).on("data", (data) => { bytes += data.length; });
  const line = `GET /api/conversations/${conversation}/messages HTTP/1.1\r\n${host()}Authorization: Bearer ${ada.token}\r\n\r\n`;
  reader.pause().write(line.repeat(100));
  // Nothing can be awaited: only a client that does not read is reset, and it does not see that before it reads.
  await wait(21_500);
  reader.resume();
  await within(once(reader, "close"), 15_000, "end of the connection");
  assert.ok(bytes > 0 && bytes < 50 * 128 * 1024, `${bytes} bytes arrived`);
});

// The socket: handshake

check("the upgrade is answered with the subprotocol and without extensions", async () => {
  const { token } = await newUser();
  for (const changed of [{}, { "Sec-WebSocket-Protocol": "other, tidings.v2" }, { "Sec-WebSocket-Extensions": "permessage-deflate" }]) {
    const answer = await upgrade(token, changed);
    assert.equal(answer.status, 101);
    assert.equal(answer.headers["sec-websocket-protocol"], "tidings.v2");
    assert.equal(answer.headers["sec-websocket-extensions"], undefined);
  }
});

check("an upgrade that is not the handshake is bad_upgrade, in the order that the page tells", async () => {
  const { token } = await newUser();
  const version = await upgrade(token, { "Sec-WebSocket-Version": "8" });
  assertProblem(version, 426, { code: "bad_upgrade" });
  assert.equal(version.headers["sec-websocket-version"], "13");
  const wrong = [
    { "Sec-WebSocket-Protocol": undefined }, { "Sec-WebSocket-Protocol": "tidings.v1" }, { "Sec-WebSocket-Key": undefined },
    { "Sec-WebSocket-Key": "abc" }, { Upgrade: undefined, Connection: "close" },
  ];
  for (const changed of wrong) {
    assertProblem(await upgrade(undefined, { Origin: "http://elsewhere.example", ...changed }), 400, { code: "bad_upgrade" });
  }
  assertProblem(await upgrade(undefined, { Origin: "http://elsewhere.example" }), 403, { code: "forbidden_origin" });
  assertProblem(await upgrade(undefined), 401, { code: "unauthorized" });
  assertProblem(await upgrade("x"), 401, { code: "unauthorized" });
});

check("the eleventh socket of a user is closed with 4502", async () => {
  const user = await newUser();
  await Promise.all(times(10, () => Socket.live(user)));
  await (await Socket.open(user)).expectClose(4502);
});

// The socket: hello

check("hello is answered with welcome, synced and presence", async () => {
  const user = await newUser();
  const socket = await Socket.open(user);
  socket.send({ type: "hello", cursors: [] });
  await socket.expect("welcome", { user: user.shown, epoch: is.text, limits: LIMITS, invisible: false });
  await socket.expect("synced", { truncated: [], reset: [] });
  await socket.expect("presence", { version: is.number, count: is.positive, complete: false, online: [] });
  assert.equal(socket.frames[0].type, "welcome");
});

check("before hello everything else is hello_expected, and a refused hello may be sent again", async () => {
  const user = await newUser();
  const socket = await Socket.open(user);
  for (const frame of [{ type: "ping" }, { type: "sync", cursors: [] }]) {
    socket.send(frame);
    await socket.expect("error", { code: "hello_expected", message: is.text });
  }
  socket.send({ type: "hello" });
  await socket.expect("error", { code: "invalid_field", message: is.text, field: "cursors" });
  socket.send({ type: "hello", cursors: [] });
  await socket.next("welcome");
  socket.send({ type: "hello", cursors: [] });
  await socket.expect("error", { code: "hello_repeated", message: is.text });
  await socket.pong();
});

checkSlowly("a socket without a hello that is accepted is closed with 4011 after 10 s", async () => {
  const user = await newUser();
  const start = Date.now();
  const socket = await Socket.open(user);
  socket.send({ type: "hello", cursors: 5 });
  await socket.expectClose(4011, 30_000);
  assert.ok(elapsedSince(start) >= 9000, `closed after ${elapsedSince(start)} ms`);
});

check("hello takes cursors, watch and idle", async () => {
  const { ada, bob, conversation, bobs } = await newPair();
  await bobs.say(conversation);
  bobs.send({ type: "watch", users: [ada.id] });
  await bobs.next((frame) => frame.type === "presence" && inList(frame, "online", ada.id));
  const second = await Socket.open(ada);
  second.send({ type: "hello", cursors: [{ conversation, seq: 0 }], watch: { list: false, users: [bob.id] }, idle: true });
  await second.expect("welcome", { user: ada.shown, epoch: is.text, limits: LIMITS, invisible: false });
  await second.expect("event", eventShape(conversation, 1, bob, message("Hello")));
  await second.expect("synced", { truncated: [], reset: [] });
  await second.expect("presence", { version: is.number, count: is.positive, complete: false, online: [bob.shown] });
});

// The socket: JSON

check("frames that are not JSON objects with a known type are bad_json or unknown_type", async () => {
  const socket = await Socket.live(await newUser());
  for (const frame of ["{", "[]", "5", "null", ""]) {
    socket.send(frame);
    await socket.expect("error", { code: "bad_json", message: is.text });
  }
  for (const frame of [{}, { type: "nonsense" }, { type: 5 }, { fault: "nonsense" }]) {
    socket.send(frame);
    await socket.expect("error", { code: "unknown_type", message: is.text, field: "type" });
  }
});

check("an unknown field of a frame is ignored, however deep", async () => {
  const socket = await Socket.live(await newUser());
  socket.send(`{"type":"ping","x":${"[".repeat(30000)}${"]".repeat(30000)}}`);
  await socket.expect("pong", {});
});

check("unknown fields are ignored, known ones that are given twice are invalid_field", async () => {
  const socket = await Socket.live(await newUser());
  socket.send('{"type":"ping","x":1,"x":{"y":null}}');
  await socket.expect("pong", {});
  socket.send('{"type":"ping","type":"ping"}');
  await socket.expect("error", { code: "invalid_field", message: is.text, field: "type" });
  socket.send('{"type":"activity","idle":true,"idle":true}');
  await socket.expect("error", { code: "invalid_field", message: is.text, field: "idle" });
});

check("a list where an object belongs is invalid_field", async () => {
  const { ada, conversation, adas } = await newPair();
  adas.send({ type: "sync", cursors: [[conversation, 0]] });
  await adas.expect("error", { code: "invalid_field", message: is.text, field: is.text });
  const keys = [(await ada.get("/api/push")).public_key, "BTBZMqHH6r4Tts7J_aSIgg"];
  const answer = await ada.call("PUT", "/api/push/subscription", { body: { endpoint: "https://fcm.googleapis.com/x", keys } });
  assertProblem(answer, 400, { code: "invalid_field", field: "keys" });
});

check("an optional field is never null", async () => {
  const { conversation, adas } = await newPair();
  adas.send({ type: "watch", list: null });
  await adas.expect("error", { code: "invalid_field", message: is.text, field: "list" });
  adas.send({ type: "sync", cursors: [{ conversation, seq: 0, at: null }] });
  await adas.expect("error", { code: "invalid_field", message: is.text, field: is.text });
});

check("a number with a fraction, an exponent or a sign, and one above 2^53 − 1, is invalid_field", async () => {
  const { conversation, adas } = await newPair();
  for (const number of ["1.0", "1e0", "-1", '"1"', "null", "9007199254740992"]) {
    adas.send(`{"type":"read","conversation":"${conversation}","seq":${number}}`);
    await adas.expect("error", { code: "invalid_field", message: is.text, field: "seq" });
  }
});

check("every field of every frame is required and checked", async () => {
  const { conversation, adas } = await newPair();
  const id = newClientId();
  const position = { conversation, seq: 1 };
  const cases = [
    ["sync", { cursors: [] }, { cursors: "x" }], ["delivered", position, { conversation: "x" }], ["delivered", position, { seq: "x" }],
    ["read", position, { conversation: 5 }], ["read", position, { seq: true }], ["typing", { conversation }, { conversation: "x" }],
    ["activity", { idle: true }, { idle: "x" }], ["give_up", { client_id: id }, { client_id: "x" }],
  ];
  for (const [type, frame, wrong] of cases) {
    const [field] = Object.keys(wrong);
    for (const value of [undefined, wrong[field]]) {
      adas.send({ type, ...frame, [field]: value });
      await adas.expect("error", { code: "invalid_field", message: is.text, field });
    }
  }
  for (const [field, value] of [["list", "yes"], ["users", "x"], ["users", times(201, () => newClientId())]]) {
    adas.send({ type: "watch", [field]: value });
    await adas.expect("error", { code: "invalid_field", message: is.text, field });
  }
});

// The socket: sending

check("a message is stored, and comes to everyone except the connection that sent it", async () => {
  const { ada, bob, conversation, adas, bobs } = await newPair();
  const second = await Socket.live(ada);
  const clientId = newClientId();
  const body = " Привет, 世界! 😀\n<b>& ";
  adas.send({ type: "send", client_id: clientId.toUpperCase(), conversation: conversation.toUpperCase(), kind: "message", body });
  const stored = await adas.expect("stored", { client_id: clientId, conversation, seq: 1, at: is.time, duplicate: false });
  const event = { conversation, seq: 1, sender: ada.id, client_id: clientId, at: stored.at, kind: "message", body };
  await bobs.expect("event", event);
  await second.expect("event", event);
  await adas.pong();
  assert.equal(adas.count("event"), 0);
  const page = await bob.get(`/api/conversations/${conversation}/messages`);
  assertShape(page, { messages: [event], from: 1, to: 1, last_seq: 1, last_at: stored.at });
});

check("pins are events, change the list of pins, and are no messages", async () => {
  const { ada, bob, conversation, adas, bobs } = await newPair();
  for (const n of numbers(1, 3)) await adas.say(conversation, `m${n}`);
  await bobs.next((frame) => frame.seq === 3);
  const steps = [[2, true, [2]], [1, true, [2, 1]], [2, true, [2, 1]], [2, false, [1]], [3, false, [1]], [2, true, [1, 2]]];
  for (const [index, [target, on, pins]] of steps.entries()) {
    const socket = index % 2 === 0 ? bobs : adas;
    const answer = await socket.store(conversation, pin(target, on));
    assertShape(answer, { type: "stored", client_id: is.uuid, conversation, seq: 4 + index, at: is.time, duplicate: false });
    const event = await (socket === bobs ? adas : bobs).next((frame) => frame.type === "event" && frame.seq === 4 + index);
    assertShape(event, { type: "event", ...eventShape(conversation, 4 + index, socket === bobs ? bob : ada, pin(target, on)) });
    assert.deepEqual((await ada.get(`/api/conversations/${conversation}`)).pins, pins);
  }
  const value = await bob.get(`/api/conversations/${conversation}`);
  assertConversation(value, {
    last_seq: 9, last: eventShape(conversation, 3, ada, message("m3")), unread: 3, pins: [1, 2], members: [{ user: ada.shown }, { user: bob.shown }],
  });
});

check("sends that are wrong are refused for good", async () => {
  const { conversation, adas } = await newPair();
  const stranger = await newSilentPair();
  await adas.store(conversation, message("One"));
  await adas.store(conversation, pin(1));
  const refuses = async (frame, code, field, clientId = newClientId()) => {
    adas.send({ type: "send", client_id: clientId, conversation, ...frame });
    const error = { code, message: is.text, field, client_id: /^[0-9a-f-]{14}-?7/.test(clientId ?? "") ? clientId : undefined };
    await adas.expect("error", error);
  };
  await refuses(message("x"), "invalid_field", "client_id", "x");
  await refuses(message("x"), "invalid_field", "client_id", crypto.randomUUID().replace(/^(.{14})./, "$14"));
  await refuses({ conversation: undefined, ...message("x") }, "invalid_field", "conversation");
  await refuses({ conversation: "x", ...message("x") }, "invalid_field", "conversation");
  await refuses({ body: "x" }, "invalid_field", "kind");
  await refuses({ kind: "edit", body: "x" }, "invalid_field", "kind");
  await refuses({ kind: "message" }, "invalid_field", "body");
  await refuses({ kind: "message", body: 5 }, "invalid_field", "body");
  await refuses({ kind: "pin", on: true }, "invalid_field", "target");
  await refuses({ kind: "pin", target: 1 }, "invalid_field", "on");
  await refuses({ kind: "pin", target: 1, on: "true" }, "invalid_field", "on");
  for (const body of ["", " \n\u00a0\u2003", "a\u0000b"]) await refuses(message(body), "invalid_text", "body");
  await refuses(message(`${LONG}x`), "text_too_long", "body");
  await refuses({ ...message("x"), conversation: newClientId() }, "not_found", "conversation");
  await refuses({ ...message("x"), conversation: stranger.conversation }, "not_found", "conversation");
  for (const target of [0, 2, 99]) await refuses(pin(target), "not_found", "target");
  const answer = await adas.store(conversation, message(LONG));
  assert.equal(answer.seq, 3, "what was refused for good holds nothing");
});

check("an operation that is sent again is stored once, and its id names nothing else", async () => {
  const { ada, conversation, adas } = await newPair();
  const [first, second] = [newClientId(), newClientId()];
  const stored = await adas.store(conversation, message("One"), first);
  assertShape(await adas.store(conversation, message("One"), first), { ...stored, duplicate: true });
  const again = await Socket.live(ada);
  assertShape(await again.store(conversation, message("One"), first), { ...stored, duplicate: true });
  await adas.store(conversation, pin(1), second);
  const reused = (clientId) => ({ type: "error", code: "id_reused", message: is.text, field: "client_id", client_id: clientId });
  assertShape(await adas.store(conversation, message("Two"), first), reused(first));
  assertShape(await adas.store(conversation, pin(1, false), second), reused(second));
  const notes = await openConversation(ada, ada);
  assertShape(await adas.store(notes, message("Two"), first), { type: "stored", client_id: first, conversation: notes, seq: 1, at: is.time, duplicate: false });
});

check("a client_id names one operation of a conversation, whatever its kind", async () => {
  const { conversation, adas } = await newPair();
  const clientId = newClientId();
  await adas.store(conversation, message("One"), clientId);
  const answer = await adas.store(conversation, pin(1), clientId);
  assertShape(answer, { type: "error", code: "id_reused", message: is.text, field: "client_id", client_id: clientId });
});

check("after a refusal for now the connection is held until what was refused comes again, the oldest first", async () => {
  const { conversation, adas, bobs } = await newPair();
  const ids = times(31, () => newClientId());
  const send = (index) => adas.send({ type: "send", client_id: ids[index], conversation, ...message(`m${index}`) });
  const answer = (index) => adas.next((frame) => frame.client_id === ids[index]);
  const busy = (index, after) => ({ type: "error", code: "busy", message: is.text, retry_after_ms: is.positive, client_id: ids[index], after: ids[after] });
  for (const index of numbers(0, 29)) send(index);
  // A server that needs long for them may accept a few more than the 20 of the burst.
  let stored = 0, limited = await answer(0);
  for (; limited.type === "stored"; limited = await answer(stored)) assert.equal(limited.seq, (stored += 1));
  assert.ok(stored >= 20 && stored < 28, `${stored} were stored`);
  const [first, second] = [stored, stored + 1];
  assertShape(limited, { type: "error", code: "rate_limited", message: is.text, retry_after_ms: is.positive, client_id: ids[first] });
  for (const index of numbers(second, 29)) assertShape(await answer(index), busy(index, first));
  await wait(limited.retry_after_ms + 600);
  send(second);
  assertShape(await answer(second), busy(second, first));
  send(first);
  assert.equal((await answer(first)).seq, stored + 1);
  send(30);
  assertShape(await answer(30), busy(30, second));
  adas.send({ type: "give_up", client_id: newClientId() });
  for (const index of numbers(second, 29)) adas.send({ type: "give_up", client_id: ids[index] });
  send(30);
  assert.equal((await answer(30)).seq, stored + 2);
  assert.equal((await bobs.next((frame) => frame.seq === stored + 2)).body, "m30");
});

check("a new connection is not held", async () => {
  const { ada, conversation, adas } = await newPair();
  for (const n of numbers(0, 29)) adas.send({ type: "send", client_id: newClientId(), conversation, ...message(`m${n}`) });
  const limited = await adas.next("error");
  assert.equal(limited.code, "rate_limited");
  const second = await Socket.live(ada);
  await second.storeAll(conversation, [message("y")]);
  const held = await adas.store(conversation, message("x"));
  assert.equal(held.after, limited.client_id);
});

checkSlowly("at most 50 messages are pinned", async () => {
  const { ada, conversation, adas, bobs } = await newPair();
  await Promise.all([adas, bobs].map((socket) => socket.storeAll(conversation, times(26, () => message("x")))));
  await Promise.all([[adas, 0], [bobs, 25]].map(([socket, from]) => socket.storeAll(conversation, numbers(from + 1, from + 25).map((n) => pin(n)))));
  assert.equal((await ada.get(`/api/conversations/${conversation}`)).pins.length, 50);
  const answer = await adas.store(conversation, pin(51));
  const shape = { type: "error", code: "too_many_pins", message: is.text, client_id: is.uuid };
  if (answer.retry_after_ms) await wait(answer.retry_after_ms);
  assertShape(answer.retry_after_ms ? await adas.store(conversation, pin(51), answer.client_id) : answer, shape);
  await bobs.storeAll(conversation, [pin(1, false), pin(51)]);
});

// The socket: replay

check("a replay contains every event after the cursor, the own ones included", async () => {
  const { ada, bob, conversation, adas, bobs } = await newPair();
  await adas.say(conversation, "m1");
  await bobs.say(conversation, "m2");
  await adas.store(conversation, pin(2));
  const shapes = [eventShape(conversation, 1, ada, message("m1")), eventShape(conversation, 2, bob, message("m2")), eventShape(conversation, 3, ada, pin(2))];
  for (const seq of [0, 1, 3]) {
    const from = adas.frames.length;
    adas.send({ type: "sync", cursors: [{ conversation, seq }] });
    await adas.expect("synced", { truncated: [], reset: [] });
    const events = adas.frames.slice(from).filter(({ type }) => type === "event");
    assertShape(events, shapes.slice(seq).map((shape) => ({ type: "event", ...shape })));
  }
});

check("an empty list of cursors is synced, and more than 500 are invalid_field", async () => {
  const socket = await Socket.live(await newUser());
  const cursors = (count) => times(count, () => ({ conversation: newClientId(), seq: 0 }));
  for (const count of [0, 500]) {
    socket.send({ type: "sync", cursors: cursors(count) });
    await socket.expect("synced", { truncated: [], reset: [] });
  }
  socket.send({ type: "sync", cursors: cursors(501) });
  await socket.expect("error", { code: "invalid_field", message: is.text, field: "cursors" });
});

check("a cursor that is not what the server has is reset", async () => {
  const { conversation, adas } = await newPair();
  const stranger = (await newSilentPair()).conversation;
  const { at } = await adas.store(conversation, message("One"));
  const sync = async (cursors, reset) => {
    adas.send({ type: "sync", cursors });
    await adas.expect("synced", { truncated: [], reset });
  };
  await sync([{ conversation, seq: 1, at }], []);
  await sync([{ conversation, seq: 2 }], [conversation]);
  await sync([{ conversation, seq: 1, at: "2026-01-01T00:00:00.000Z" }], [conversation]);
  await sync([{ conversation: stranger, seq: 0 }], []);
  await sync([{ conversation: stranger, seq: 1 }], [stranger]);
  assert.equal(adas.count("event"), 0);
});

check("a replay has at most 300 events, and what misses the most is left out", async () => {
  const user = await newUser();
  const socket = await Socket.live(user);
  const conversations = await Promise.all(times(16, async () => {
    const other = await newUser("Bob");
    const conversation = await openConversation(user, other);
    await (await Socket.live(other)).storeAll(conversation, times(20, () => message("x")));
    return conversation;
  }));
  const [most, least] = [conversations[3], conversations[12]];
  await socket.say(most);
  const from = socket.frames.length;
  const cursors = conversations.map((conversation) => ({ conversation, seq: conversation === least ? 10 : 0 }));
  socket.send({ type: "sync", cursors });
  await socket.expect("synced", { truncated: [most], reset: [] });
  const events = socket.frames.slice(from).filter(({ type }) => type === "event");
  assert.equal(events.length, 14 * 20 + 10);
  for (const conversation of conversations) {
    const own = events.filter((event) => event.conversation === conversation).map(({ seq }) => seq);
    assert.deepEqual(own, conversation === most ? [] : numbers(conversation === least ? 11 : 1, 20));
  }
});

check("a sync before synced replaces the replay under way", async () => {
  const { bob, conversation, adas, bobs } = await newPair();
  for (const n of numbers(1, 3)) await bobs.say(conversation, `m${n}`);
  await adas.next((frame) => frame.seq === 3);
  adas.send({ type: "sync", cursors: [] }, { type: "sync", cursors: [{ conversation, seq: 1 }] });
  for (const n of [2, 3]) {
    const event = await adas.next((frame) => frame.type === "event" && frame.seq === n && adas.frames.indexOf(frame) > 5);
    assertShape(event, { type: "event", ...eventShape(conversation, n, bob, message(`m${n}`)) });
  }
  await adas.expect("synced", { truncated: [], reset: [] });
});

check("replays start twice a second, after 20 at once", async () => {
  const socket = await Socket.live(await newUser());
  const cursors = [{ conversation: newClientId(), seq: 0 }];
  const start = Date.now();
  for (const _ of numbers(1, 23)) {
    socket.send({ type: "sync", cursors });
    await socket.next("synced");
  }
  assert.ok(elapsedSince(start) >= 1000, `23 replays took ${elapsedSince(start)} ms`);
});

// The socket: positions

check("positions grow, and everyone is told what concerns them", async () => {
  const { ada, bob, conversation, adas, bobs } = await newPair();
  const second = await Socket.live(ada);
  for (const n of numbers(1, 4)) await bobs.say(conversation, `m${n}`);
  const position = (type, seq) => adas.send({ type, conversation, seq });
  const receipt = { conversation, user: ada.id };
  const told = async (delivered, read, unread) => {
    await bobs.expect("receipt", { ...receipt, delivered, read });
    if (unread !== undefined) for (const socket of [adas, second]) await socket.expect("receipt", { ...receipt, delivered, read, unread });
  };
  position("delivered", 2);
  await told(2, 0);
  position("read", 1);
  await told(2, 1, 3);
  position("read", 3);
  await told(3, 3, 1);
  position("read", 2);
  position("delivered", 1);
  position("read", 99);
  await told(4, 4, 0);
  assert.deepEqual([adas.count("receipt"), second.count("receipt"), bobs.count("receipt")], [3, 3, 4]);
  const value = byUser((await bob.get(`/api/conversations/${conversation}`)).members);
  assertShape(value.get(ada.id), { user: ada.shown, delivered: 4, read: 4, last_seen: is.optional(is.time) });
});

check("a position may be the number of a change, and own messages are never unread", async () => {
  const { ada, bob, conversation, adas, bobs } = await newPair();
  await bobs.say(conversation);
  await bobs.store(conversation, pin(1));
  await adas.say(conversation, "Own");
  const unread = async (user) => (await user.get(`/api/conversations/${conversation}`)).unread;
  assert.deepEqual([await unread(ada), await unread(bob)], [1, 1]);
  adas.send({ type: "read", conversation, seq: 2 });
  await bobs.expect("receipt", { conversation, user: ada.id, delivered: 2, read: 2 });
  await adas.expect("receipt", { conversation, user: ada.id, delivered: 2, read: 2, unread: 0 });
});

checkSlowly("unread stops at 100", async () => {
  const { ada, conversation, adas, bobs } = await newPair();
  await bobs.storeAll(conversation, times(102, () => message("x")));
  assert.equal((await ada.get(`/api/conversations/${conversation}`)).unread, 100);
  for (const [seq, unread] of [[1, 100], [2, 100], [3, 99]]) {
    adas.send({ type: "read", conversation, seq });
    await adas.expect("receipt", { conversation, user: ada.id, delivered: seq, read: seq, unread });
  }
});

check("positions and typing in a conversation of others are not_found, for all connections of the user", async () => {
  const { conversation } = await newSilentPair();
  const user = await newUser();
  const [first, second] = await Promise.all([Socket.live(user), Socket.live(user)]);
  for (const frame of [{ type: "delivered", conversation, seq: 1 }, { type: "read", conversation, seq: 1 }, { type: "typing", conversation }]) {
    first.send(frame);
    for (const socket of [first, second]) await socket.expect("error", { code: "not_found", message: is.text, field: "conversation", conversation });
  }
});

// The socket: typing

check("typing comes to the other members at most every 3 s, and again after a message", async () => {
  const { ada, conversation, adas, bobs } = await newPair();
  const second = await Socket.live(ada);
  adas.send({ type: "typing", conversation });
  await bobs.expect("typing", { conversation, user: ada.id });
  second.send({ type: "typing", conversation });
  await second.pong();
  adas.send({ type: "typing", conversation });
  await adas.say(conversation);
  await bobs.next("event");
  assert.equal(bobs.count("typing"), 1);
  adas.send({ type: "typing", conversation });
  await bobs.expect("typing", { conversation, user: ada.id });
  await bobs.pong();
  const start = Date.now();
  while (bobs.count("typing") < 3 && elapsedSince(start) < 30_000) {
    adas.send({ type: "typing", conversation });
    await Promise.all([adas.pong(), bobs.pong(), wait(50)]);
  }
  assert.ok(elapsedSince(start) >= 1500, `typing came again after ${elapsedSince(start)} ms`);
  assert.equal(bobs.count("typing"), 3);
  assert.equal(adas.count("typing") + second.count("typing"), 0, "nobody is told of the own typing");
});

// Presence

const isPresence = (test) => (frame) => frame.type === "presence" && test(frame);
const isDiff = (key, id) => (frame) => frame.type === "presence_diff" && inList(frame, key, id);
const presenceShape = (rest) => ({ type: "presence", version: is.number, count: is.positive, away: is.optional(is.list), ...rest });
const diffShape = {
  type: "presence_diff", version: is.positive, count: is.positive, joins: is.list, leaves: is.list,
  away: is.optional(is.list), back: is.optional(is.list),
};

check("with the list, everyone online is in presence, and changes come in presence_diff", async () => {
  const user = await newUser();
  const socket = await Socket.open(user);
  socket.send({ type: "hello", cursors: [], watch: { list: true } });
  const all = await socket.next("presence");
  assertShape(all, presenceShape({ complete: true, online: is.list }));
  assertShape(all.online.find(({ id }) => id === user.id), user.shown);
  assert.equal(all.count, all.online.length);
  const other = await newUser();
  const others = await Socket.live(other);
  let version = all.version;
  const change = async (key) => {
    const diff = await socket.next(isDiff(key, other.id));
    assertShape(diff, diffShape);
    assert.ok(diff.version > version);
    version = diff.version;
    return diff;
  };
  assertShape((await change("joins")).joins.find(({ id }) => id === other.id), other.shown);
  others.send({ type: "activity", idle: true });
  await change("away");
  const again = await Socket.live(user, { watch: { list: true } });
  const inBetween = await socket.next(isPresence((frame) => inList(frame, "online", other.id)));
  assert.ok(inList(inBetween, "away", other.id), "presence comes again when another connection comes, with who is away");
  await again.close();
  others.send({ type: "activity", idle: false });
  await change("back");
  await other.call("DELETE", "/api/session");
  await change("leaves");
});

check("with users only, presence has those of them who are online", async () => {
  const [ada, bob, cleo] = await Promise.all([newUser("Ada"), newUser("Bob"), newUser("Cleo")]);
  await Socket.live(bob);
  const adas = await Socket.live(ada);
  adas.send({ type: "watch", users: [bob.id, cleo.id] });
  assertShape(await adas.next("presence"), presenceShape({ complete: false, online: [bob.shown] }));
  await Socket.live(cleo);
  const diff = await adas.next(isDiff("joins", cleo.id));
  assertShape(diff, { ...diffShape, leaves: [], away: undefined, back: undefined });
  assertShape(diff.joins.find(({ id }) => id === cleo.id), cleo.shown);
  await bob.call("DELETE", "/api/session");
  assertShape(await adas.next(isDiff("leaves", bob.id)), { ...diffShape, joins: [], leaves: [bob.id], away: undefined, back: undefined });
  adas.send({ type: "watch" });
  assertShape(await adas.next("presence"), presenceShape({ complete: false, online: [] }));
});

check("all connections of a user get what any of them watches", async () => {
  const [ada, bob] = await Promise.all([newUser("Ada"), newUser("Bob")]);
  const [adas] = [await Socket.live(ada), await Socket.live(bob)];
  const second = await Socket.live(ada);
  await adas.expect("presence", { version: is.number, count: is.positive, complete: false, online: [] });
  second.send({ type: "watch", users: [bob.id] });
  for (const socket of [adas, second]) await socket.expect("presence", { version: is.number, count: is.positive, complete: false, online: [bob.shown] });
  await second.close();
  await adas.expect("presence", { version: is.number, count: is.positive, complete: false, online: [] });
});

check("a user is away when all connections are idle", async () => {
  const [ada, bob] = await Promise.all([newUser("Ada"), newUser("Bob")]);
  const [first, second] = [await Socket.live(ada), await Socket.live(ada)];
  const bobs = await Socket.live(bob, { watch: { users: [ada.id] } });
  first.send({ type: "activity", idle: true });
  await first.pong();
  second.send({ type: "activity", idle: true });
  await bobs.next(isDiff("away", ada.id));
  second.send({ type: "activity", idle: false });
  await bobs.next(isDiff("back", ada.id));
  assert.equal(bobs.frames.filter(isDiff("away", ada.id)).length, 1);
  const cleo = await newUser("Cleo");
  bobs.send({ type: "watch", users: [cleo.id] });
  await Socket.live(cleo, { idle: true });
  await bobs.next((frame) => inList(frame, "away", cleo.id));
});

check("a presence_diff with changes comes at most once a second", async () => {
  const [ada, bob] = await Promise.all([newUser("Ada"), newUser("Bob")]);
  const adas = await Socket.live(ada);
  const bobs = await Socket.live(bob, { watch: { users: [ada.id] } });
  const at = [];
  for (const key of ["away", "back", "away"]) {
    adas.send({ type: "activity", idle: key === "away" });
    await bobs.next(isDiff(key, ada.id));
    at.push(Date.now());
  }
  assert.ok(at[1] - at[0] >= 500 && at[2] - at[1] >= 500, `they came ${at[1] - at[0]} and ${at[2] - at[1]} ms apart`);
});

checkSlowly("a user without a connection stays online for 10 s", async () => {
  const [ada, bob] = await Promise.all([newUser("Ada"), newUser("Bob")]);
  const adas = await Socket.live(ada);
  const bobs = await Socket.live(bob, { watch: { users: [ada.id] } });
  const start = Date.now();
  await adas.close();
  await bobs.next(isDiff("leaves", ada.id), 30_000);
  assert.ok(elapsedSince(start) >= 9000, `left after ${elapsedSince(start)} ms`);
});

check("a log-out ends being online at once, even when the socket was closed just before", async () => {
  const [ada, bob] = await Promise.all([newUser("Ada"), newUser("Bob")]);
  const adas = await Socket.live(ada);
  const bobs = await Socket.live(bob, { watch: { users: [ada.id] } });
  await adas.close();
  await ada.call("DELETE", "/api/session");
  // Long before the 10 s of a connection that has only closed.
  await bobs.next(isDiff("leaves", ada.id), 8000);
});

check("someone invisible looks offline, but gets and sends everything", async () => {
  const { ada, bob, conversation, adas, bobs } = await newPair();
  bobs.send({ type: "watch", users: [ada.id] });
  await bobs.next("presence");
  await bobs.say(conversation, "m1");
  adas.send({ type: "read", conversation, seq: 1 });
  await bobs.expect("receipt", { conversation, user: ada.id, delivered: 1, read: 1 });
  const choose = async (invisible) => {
    assert.equal((await ada.call("PUT", "/api/session/visibility", { body: { invisible } })).status, 204);
    await adas.expect("visibility", { invisible });
  };
  await choose(true);
  await bobs.next(isDiff("leaves", ada.id));
  assert.equal((await ada.get("/api/session")).invisible, true);
  adas.send({ type: "typing", conversation });
  await adas.say(conversation, "m2");
  await bobs.expect("event", eventShape(conversation, 2, ada, message("m2")));
  await bobs.say(conversation, "m3");
  adas.send({ type: "read", conversation, seq: 3 });
  await adas.expect("receipt", { conversation, user: ada.id, delivered: 1, read: 1, unread: 0 });
  await adas.expect("receipt", { conversation, user: ada.id, delivered: 3, read: 3, unread: 0 });
  const members = async (user) => byUser((await user.get(`/api/conversations/${conversation}`)).members);
  await eventually(() => members(bob), (map) => map.get(ada.id).last_seen);
  assertShape((await members(bob)).get(ada.id), { user: ada.shown, delivered: 1, read: 1, last_seen: is.time });
  assertShape((await members(ada)).get(ada.id), { user: ada.shown, delivered: 3, read: 3, last_seen: is.optional(is.time) });
  const people = await bob.get(`/api/users?q=${ada.name.split(" ")[1]}`);
  assertShape(people.users, [{ ...ada.shown, online: false, last_seen: is.time }]);
  const second = await Socket.live(ada);
  assert.equal(second.welcome.invisible, true);
  assert.deepEqual([bobs.count("typing"), bobs.count("receipt")], [0, 1]);
  await choose(false);
  await bobs.next(isDiff("joins", ada.id));
});

// Limits of a socket

check("a frame of 64 KiB is accepted, a larger one is closed with 1009, in fragments too", async () => {
  const user = await newUser();
  const ping = (size) => json({ type: "ping", x: "a".repeat(size - json({ type: "ping", x: "" }).length) });
  const socket = await Socket.live(user);
  socket.send(ping(65536));
  await socket.expect("pong", {});
  socket.send(ping(65537));
  await socket.expectClose(1009);
  const second = await Socket.live(user);
  second.ws.send("a".repeat(40000), { fin: false });
  second.ws.send("a".repeat(40000), { fin: true });
  await second.expectClose(1009);
});

check("a frame in too many fragments is closed with 1009", async () => {
  const socket = await Socket.live(await newUser());
  const fragments = times(80_000, (index) => Buffer.from([index === 0 ? 1 : 0, 0x80, 0, 0, 0, 0]));
  socket.sendRaw(Buffer.concat(fragments));
  await socket.expectClose(1009);
});

check("a breach of RFC 6455 is closed with 1002, a binary frame with 1003, bad UTF-8 with 1007", async () => {
  const user = await newUser();
  const closes = async (act, code) => {
    const socket = await Socket.live(user);
    act(socket);
    await socket.expectClose(code);
  };
  await closes((socket) => socket.sendRaw(Buffer.from([0x81, 0x02, 0x7b, 0x7d])), 1002);
  await closes((socket) => socket.send(Buffer.from('{"type":"ping"}')), 1003);
  await closes((socket) => socket.sendRaw(Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0xff, 0xfe])), 1007);
});

check("more than 120 pings or pongs in a minute are closed with 4503", async () => {
  const user = await newUser();
  for (const kind of ["ping", "pong"]) {
    const socket = await Socket.live(user);
    for (const _ of numbers(1, 115)) socket.ws[kind]();
    await socket.pong();
    for (const _ of numbers(1, 15)) socket.ws[kind]();
    await socket.expectClose(4503);
  }
});

check("frames are handled 300 at once, then 50 a second", async () => {
  const socket = await Socket.live(await newUser());
  const start = Date.now();
  for (const _ of numbers(1, 400)) socket.send({ type: "ping" });
  for (const _ of numbers(1, 400)) await socket.next("pong");
  assert.ok(elapsedSince(start) >= 1500, `400 frames took ${elapsedSince(start)} ms`);
});

for (const [what, count, size] of [["frames", 1500, 15], ["bytes", 60, 60_000]]) {
  checkSlowly(`too many ${what} for more than 10 s are closed with 4504`, async () => {
    const socket = await Socket.live(await newUser());
    const frame = json({ type: "ping", x: "a".repeat(size) });
    const start = Date.now();
    for (const _ of numbers(1, count)) socket.send(frame);
    await socket.expectClose(4504, 40_000);
    assert.ok(elapsedSince(start) >= 9000, `closed after ${elapsedSince(start)} ms`);
  });
}

checkSlowly("a socket that does not answer a ping is closed with 4010", async () => {
  const user = await newUser();
  const start = Date.now();
  const socket = await Socket.live(user, {}, { autoPong: false });
  await within(once(socket.ws, "ping"), 30_000, "ping");
  const untilPing = elapsedSince(start);
  assert.ok(untilPing >= 9000, `the ping came after ${untilPing} ms`);
  await socket.expectClose(4010, 30_000);
  assert.ok(elapsedSince(start) - untilPing >= 6000, `closed ${elapsedSince(start) - untilPing} ms after the ping`);
});

check("a client that does not read is closed with 4008", async () => {
  const user = await newUser();
  const socket = await Socket.live(user);
  socket.ws.pause();
  await Promise.all(times(14, async () => {
    const other = await newUser("Bob");
    const others = await Socket.live(other);
    await others.storeAll(await openConversation(other, user), times(20, () => message(LONG)));
  }));
  socket.ws.resume();
  await socket.expectClose(4008);
});

check("after a frame that crashes the session comes resync, and after the third one 4500", async () => {
  const { ada, conversation, adas, bobs } = await newPair();
  await bobs.say(conversation, "m1");
  for (const _ of [1, 2]) {
    adas.send({ fault: "user" });
    await adas.expect("resync", {});
    await adas.expect("visibility", { invisible: false });
    adas.send({ type: "sync", cursors: [{ conversation, seq: 0 }] });
    await adas.next((frame) => frame.type === "event" && frame.seq === 1);
    await adas.expect("synced", { truncated: [], reset: [] });
  }
  adas.send({ fault: "user" });
  await adas.expectClose(4500);
  await Socket.live(ada);
});

// Web push

check("a session subscribes to pushes and unsubscribes", async () => {
  const user = await newUser();
  const { public_key: key, ...rest } = await user.get("/api/push");
  assert.deepEqual(rest, {});
  const put = (body) => user.call("PUT", "/api/push/subscription", { body });
  const keys = { p256dh: key, auth: "BTBZMqHH6r4Tts7J_aSIgg" };
  const endpoint = "https://fcm.googleapis.com/push/x";
  assert.equal(Buffer.from(key, "base64url").length, 65);
  for (const body of [{ endpoint, keys }, { endpoint, expirationTime: null, keys: { p256dh: `${key}=`, auth: `${keys.auth}==` } }]) {
    assert.equal((await put(body)).status, 204);
  }
  const refuses = async (body, field) => assertProblem(await put(body), 400, { code: "invalid_field", field });
  for (const wrong of ["http://fcm.googleapis.com/x", "https://elsewhere.example/x", `https://fcm.googleapis.com/${"x".repeat(1000)}`, 5]) {
    await refuses({ endpoint: wrong, keys }, "endpoint");
  }
  await refuses({ keys }, "endpoint");
  await refuses({ endpoint }, "keys");
  await refuses({ endpoint, keys: { ...keys, p256dh: "AAAA" } }, "keys.p256dh");
  await refuses({ endpoint, keys: { ...keys, auth: "AAAA" } }, "keys.auth");
  await refuses({ endpoint, keys: { p256dh: key } }, "keys.auth");
  for (const _ of [1, 2]) assert.equal((await user.call("DELETE", "/api/push/subscription")).status, 204);
});

// The client of `client.mjs`

const bodies = (client, conversation) => client.logs.get(conversation)?.messages.map(({ body }) => body) ?? [];

const CHANGES = ["event", "frame", "pins", "conversations", "state", "typing"];

/** Waits until something about a client holds, looking after each of its events. */
async function until(client, what, holds, ms = 30_000) {
  let look;
  const held = new Promise((resolve) => {
    look = () => setImmediate(() => { if (holds()) resolve(); });
    for (const change of CHANGES) client.on(change, look);
    look();
  });
  await within(held, ms, what).finally(() => { for (const change of CHANGES) client.off(change, look); });
}

check("the client stores 30 operations in order, in spite of the limits", async () => {
  const [ada, bob] = await Promise.all([newClient(), newClient()]);
  const conversation = await ada.open(bob.user.id);
  const texts = times(30, (n) => `m${n}`);
  // Without its own pace the client makes the server refuse.
  ada.outbox.pace.perSecond = 0;
  for (const body of texts) ada.write(conversation, message(body));
  await until(bob, "thirty messages", () => bodies(bob, conversation).length === 30, 30_000);
  await until(ada, "thirty answers", () => ada.outbox.entries.length === 0);
  assert.deepEqual(bodies(bob, conversation), texts);
  assert.deepEqual(bodies(ada, conversation), texts);
});

check("the client gives up what the user discards, and goes on", async () => {
  const [ada, bob] = await Promise.all([newClient(), newClient()]);
  const conversation = await ada.open(bob.user.id);
  ada.outbox.pace.perSecond = 0;
  const ids = times(24, (n) => ada.write(conversation, message(`m${n}`)));
  await until(ada, "a refusal", () => ada.outbox.pausedUntil > 0);
  for (const id of ids.slice(20)) ada.discard(id);
  ada.write(conversation, message("last"));
  await until(bob, "the last message", () => bodies(bob, conversation).includes("last"));
  assert.deepEqual(bodies(bob, conversation), [...times(20, (n) => `m${n}`), "last"]);
});

check("the client catches up after a cut and after a resync", async () => {
  const [ada, bob] = await Promise.all([newClient(), newClient()]);
  const conversation = await ada.open(bob.user.id);
  ada.write(conversation, message("m1"));
  await until(bob, "the first message", () => bodies(bob, conversation).length === 1);
  bob.send({ type: "too large", text: "x".repeat(65536) });
  await until(bob, "the end of the socket", () => bob.state === "disconnected");
  assert.equal(bob.closeCode, 1009);
  ada.write(conversation, message("m2"));
  await until(bob, "the second message", () => bodies(bob, conversation).length === 2 && bob.state === "live");
  for (const _ of [1, 2]) {
    bob.send({ fault: "user" });
    await until(bob, "a resync", () => bob.state === "replaying");
    await until(bob, "being live again", () => bob.state === "live");
  }
  bob.send({ fault: "user" });
  await until(bob, "being stopped", () => bob.state === "stopped");
  ada.write(conversation, message("m3"));
  ada.write(conversation, pin(2));
  await until(ada, "its own answers", () => ada.outbox.entries.length === 0);
  bob.start();
  await until(bob, "the third message and the pin", () => bodies(bob, conversation).length === 3 && bob.logs.get(conversation).pinned().includes(2));
  assert.deepEqual(ada.logs.get(conversation).pinned(), [2]);
});

check("the client counts unread messages and tells what was read and who is typing", async () => {
  const [ada, bob] = await Promise.all([newClient(), newClient()]);
  const conversation = await ada.open(bob.user.id);
  for (const body of ["m1", "m2", "m3"]) ada.write(conversation, message(body));
  await until(bob, "three unread messages", () => bob.unread(conversation) === 3);
  bob.markRead(conversation, 2);
  await until(bob, "one unread message", () => bob.unread(conversation) === 1);
  const position = () => ada.conversations.get(conversation).members.get(bob.user.id);
  await until(ada, "the positions", () => position().read === 2 && position().delivered === 3);
  bob.startTyping(conversation);
  await until(ada, "typing", () => ada.typing.get(conversation)?.has(bob.user.id));
  bob.write(conversation, message("m4"));
  await until(ada, "the end of typing", () => !ada.typing.get(conversation).has(bob.user.id));
});

check("the client pages forward through what a replay leaves out", async () => {
  const bob = await newClient();
  const senders = await Promise.all(times(16, async () => {
    const user = await newUser();
    const conversation = await bob.open(user.id);
    return { socket: await Socket.live(user), conversation };
  }));
  bob.stop();
  await Promise.all(senders.map(({ socket, conversation }) => socket.storeAll(conversation, times(20, (n) => message(`m${n}`)))));
  let truncated;
  bob.on("frame", (frame) => { if (frame.type === "synced") truncated ??= frame.truncated; });
  bob.start();
  await until(bob, "all messages", () => senders.every(({ conversation }) => bodies(bob, conversation).length === 20));
  assert.equal(truncated.length, 1);
});

// What disturbs others

for (const part of ["users", "presence", "persistence", "push"]) {
  checkAlone(`after a crash of the part ${part}, operations are stored and arrive`, async () => {
    const [ada, bob] = await Promise.all([newClient(), newClient()]);
    const conversation = await ada.open(bob.user.id);
    ada.write(conversation, message("before"));
    ada.send({ fault: part });
    ada.write(conversation, message("after"));
    await until(bob, "both messages", () => bodies(bob, conversation).length === 2, 30_000);
    assert.deepEqual(bodies(bob, conversation), ["before", "after"]);
  });
}

checkAlone("while the database does not answer, 32 sends wait, the next one is busy, and a copy gets no answer", async () => {
  const { ada, conversation, adas, bobs } = await newPair();
  const ids = times(33, () => newClientId());
  const send = (index) => adas.send({ type: "send", client_id: ids[index], conversation, ...message(`m${index}`) });
  adas.send({ fault: "persistence", freeze: true });
  await adas.pong();
  for (const index of numbers(0, 19)) send(index);
  for (const index of numbers(20, 31)) {
    await wait(300);
    send(index);
  }
  send(0);
  await wait(300);
  send(32);
  const shape = { code: "busy", message: is.text, retry_after_ms: is.positive, client_id: ids[32] };
  const refused = await adas.expect("error", shape);
  assert.equal(adas.count("stored"), 0);
  // Any of them may be answered a second time, as a duplicate, when the part that hung has come back.
  const stored = (index) => adas.next((frame) => frame.type === "stored" && frame.client_id === ids[index], 40_000);
  for (const index of numbers(0, 31)) {
    assertShape(await stored(index), { type: "stored", client_id: ids[index], conversation, seq: index + 1, at: is.time, duplicate: is.boolean });
  }
  assert.deepEqual((await adas.store(conversation, message("x"))).after, ids[32]);
  await wait(refused.retry_after_ms);
  send(32);
  assert.equal((await stored(32)).seq, 33);
  await bobs.next((frame) => frame.seq === 33);
  assert.equal((await ada.get(`/api/conversations/${conversation}`)).last_seq, 33);
});

checkAlone("with more than 300 users online the list is not complete, and 500 conversations are the most in a day", async () => {
  const user = await newUser();
  const socket = await Socket.live(user);
  socket.send({ type: "watch", list: true });
  await socket.next(isPresence((frame) => frame.complete));
  const crowd = [];
  const inBatches = async (count, act) => {
    for (let done = 0; done < count; done += 20) await Promise.all(times(Math.min(20, count - done), (index) => act(done + index)));
  };
  await inBatches(501, async () => { crowd.push(await newUser("Crowd")); });
  const online = crowd.slice(0, 310);
  await inBatches(310, (index) => Socket.live(online[index]));
  const incomplete = await socket.next(isPresence((frame) => !frame.complete), 30_000);
  assert.ok(incomplete.count > 300);
  assert.deepEqual(incomplete.online, []);

  const ids = online.map(({ id }) => id);
  socket.send({ type: "watch", list: true, users: ids.slice(0, 150) });
  assertShape(await socket.next(isPresence((frame) => frame.online.length > 0)), presenceShape({ complete: false, online: is.list }));
  const second = await Socket.open(user);
  second.send({ type: "hello", cursors: [], watch: { users: ids.slice(110, 310) } });
  const most = await second.next("presence");
  assert.equal(most.online.length, 200, "all watches of a user have at most 200 users");

  const found = new Set();
  let after;
  do {
    const page = await user.get(`/api/users?${new URLSearchParams({ online: true, limit: 100, ...(after && { after }) })}`);
    for (const { id } of page.users) found.add(id);
    after = page.next;
  } while (after);
  assert.ok(ids.every((id) => found.has(id)), "everyone is on the pages of those who are online");

  let refused;
  await inBatches(501, async (index) => {
    const answer = await user.call("POST", "/api/conversations", { body: { user: crowd[index].id } });
    if (answer.status !== 200) refused = answer;
  });
  assert.ok(refused, "501 conversations were started");
  assertRefusedForNow(refused, 429, "rate_limited");

  await inBatches(50, (index) => online[index].call("DELETE", "/api/session"));
  const complete = await socket.next(isPresence((frame) => frame.complete), 30_000);
  assert.ok(complete.count <= 270, `${complete.count} are online`);
});

checkAlone("more than 1,000 connections from one address are 429", async () => {
  const connections = times(1000, () => net.connect(server.port, server.host).on("error", () => {}));
  try {
    await within(Promise.all(connections.map((connection) => once(connection, "connect"))), 20_000, "connections");
    const answer = await raw(`GET /healthz HTTP/1.1\r\n${host()}${close}\r\n`);
    assertProblem(answer, 429, { code: "rate_limited", retry_after_ms: 5000 });
    assert.match(answer.head, /^retry-after: 5$/im);
  } finally {
    for (const connection of connections) connection.destroy();
  }
});

// The runner

async function main() {
  const [url, words = ""] = process.argv.slice(2);
  if (!url) {
    console.error("usage: node conformance.mjs URL [words]");
    return 2;
  }
  useServer(url);
  let passed = 0, failed = 0;
  const run = async ({ name, run: act }) => {
    try {
      await within(tidily(act), 600_000, "end of the check");
      passed += 1;
      console.log(`ok ${name}`);
    } catch (error) {
      failed += 1;
      console.log(`FAILED ${name}: ${error.message.split("\n").slice(0, 12).join(" ")}`);
    }
  };
  const chosen = (list) => list.filter(({ name }) => name.includes(words));
  const queue = chosen(checks.quick);
  const work = async () => { while (queue.length > 0) await run(queue.shift()); };
  await Promise.all([...chosen(checks.slow).map(run), ...times(5, work)]);
  for (const one of chosen(checks.alone)) await run(one);
  console.log(`${passed} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}

process.exit(await main());
