// A client of the Tidings protocol (version `tidings.v2`), written from the protocol reference alone. The outbox is in
// `outbox.mjs`, the log of a conversation in `log.mjs`.
//
//   const client = new Client("http://127.0.0.1:8080", { watch: { list: true } });
//   await client.logIn("Ada");
//   client.on("message", (event) => console.log(event.body));
//   client.start();
//   const conversation = await client.open(bobId);
//   client.write(conversation, { kind: "message", body: "Hello" });
//
// Events: `state`, `message`, `event` (each one that takes its place in a log), `pins`, `receipt`, `typing`,
// `presence`, `visibility`, `conversations` (the list was loaded), `refused` (an operation will not be stored),
// `problem` (anything else to tell a developer), `frame` and `sent` (everything on the socket).

import { EventEmitter } from "node:events";
import { WebSocket } from "ws";
import { Log } from "./log.mjs";
import { DEFAULT_LIMITS, Outbox } from "./outbox.mjs";

const CONNECT_TIMEOUT_MS = 15_000;
const SILENCE_MS = 20_000;
const PONG_TIMEOUT_MS = 10_000;
const STEADY_MS = 5_000;
const CURSORS_MAX = 500;
const CONVERSATIONS_PER_INTERVAL = 32;

export const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** An answer of the server that is not a success: a `Problem` with its `status`. */
export class ProblemError extends Error {
  constructor(status, problem) {
    super(`${status} ${problem.code}: ${problem.message}`);
    Object.assign(this, { status, ...problem });
  }
}

/** The HTTP part. */
export class Api {
  constructor(url, token) {
    this.url = url.replace(/\/$/, "");
    this.token = token;
  }

  /** Sends one request. Without any answer, one that may be repeated is repeated once. */
  async request(method, path, { query = {}, body, isRepeatable = true } = {}) {
    const parameters = new URLSearchParams(query).toString();
    const headers = {
      ...(this.token && { Authorization: `Bearer ${this.token}` }), ...(body && { "Content-Type": "application/json" }),
    };
    const send = () => fetch(this.url + path + (parameters && `?${parameters}`), { method, headers, body: body && JSON.stringify(body) });
    const answer = await (isRepeatable ? send().catch(send) : send());
    const text = await answer.text();
    if (!answer.ok) throw new ProblemError(answer.status, text ? JSON.parse(text) : { code: "unknown", message: answer.statusText });
    return text ? JSON.parse(text) : null;
  }

  async logIn(name, password) {
    const session = await this.request("POST", "/api/session", { body: { name, bearer: true, password }, isRepeatable: false });
    this.token = session.token;
    return session;
  }

  /** Sets the password. The old token ends with it. */
  async setPassword(password, current) {
    const session = await this.request("PUT", "/api/session/password", { body: { password, current }, isRepeatable: false });
    this.token = session.token;
    return session;
  }

  logOut() { return this.request("DELETE", "/api/session"); }
  setInvisible(invisible) { return this.request("PUT", "/api/session/visibility", { body: { invisible } }); }
  people(query) { return this.request("GET", "/api/users", { query }); }
  openConversation(user) { return this.request("POST", "/api/conversations", { body: { user } }); }
  conversations(query) { return this.request("GET", "/api/conversations", { query }); }
  conversation(id) { return this.request("GET", `/api/conversations/${id}`); }
  history(id, query) { return this.request("GET", `/api/conversations/${id}/messages`, { query }); }
}

/** One user on one device. */
export class Client extends EventEmitter {
  #socket;
  #timers = new Set();
  #failures = 0;
  #isReplaying = false;
  #hasList = false;
  #lastTyping = new Map();

  /**
   * @param {string} url where the server is, such as `http://127.0.0.1:8080`
   * @param {{token?: string, watch?: object, idle?: boolean, saved?: object,
   *          save?: (saved: object) => void}} options `saved` is what `save` was given last
   */
  constructor(url, { token, watch = { list: false, users: [] }, idle = false, saved, save = () => {} } = {}) {
    super();
    this.api = new Api(url, token);
    this.state = token ? "disconnected" : "logged out";
    this.watch = watch;
    this.idle = idle;
    this.limits = DEFAULT_LIMITS;
    this.epoch = saved?.epoch;
    this.user = saved?.user;
    this.outbox = new Outbox((frame) => this.send(frame), (outbox) => save({ epoch: this.epoch, user: this.user, outbox }), saved?.outbox);
    this.#forget();
  }

  #forget() {
    /** @type {Map<string, Log>} */
    this.logs = new Map();
    /** The conversations as listed, with positions by user: `{id, members: Map, last, unread, counted}`. */
    this.conversations = new Map();
    /** How far this device has got, and what of it was sent: conversation → `{delivered, read, sent}`. */
    this.positions = new Map();
    this.typing = new Map();
    this.presence = { version: 0, count: 0, complete: false, online: new Map(), away: new Set() };
  }

  // The session

  async logIn(name, password) {
    const session = await this.api.logIn(name, password);
    if (this.user && this.user.id !== session.user.id) this.outbox.clear();
    this.user = session.user;
    this.#setState("disconnected");
    return session;
  }

  start() { this.#connect(); }

  /** Ends the socket and does not come back by itself. */
  stop() {
    this.#setState("stopped");
    this.#clearTimers();
    this.#socket?.close(1000);
  }

  // What the user does

  /** Opens the conversation with a user and loads the end of its log. Returns its id. */
  async open(userId) {
    const conversation = await this.api.openConversation(userId);
    this.#adoptConversation(conversation);
    if (!this.logs.has(conversation.id)) await this.load(conversation.id);
    return conversation.id;
  }

  write(conversation, content) { return this.outbox.write(conversation, content); }

  discard(clientId) { this.outbox.discard(clientId); }

  /** Says that the user has seen every message up to a number. */
  markRead(conversation, seq) { this.#wantPosition(conversation, "read", seq); }

  /** Says that the user is typing, as often as the limits allow. */
  startTyping(conversation) {
    const now = Date.now();
    if (now - (this.#lastTyping.get(conversation) ?? -Infinity) < this.limits.typing_interval_ms) return;
    this.#lastTyping.set(conversation, now);
    this.send({ type: "typing", conversation });
  }

  setWatch(watch) {
    this.watch = watch;
    this.send({ type: "watch", ...watch });
  }

  setIdle(idle) {
    if (idle === this.idle) return;
    this.idle = idle;
    this.send({ type: "activity", idle });
  }

  unread(conversation) { return this.conversations.get(conversation)?.unread ?? 0; }

  /** Sends a frame on the open socket. Whatever must not get lost is sent again after the next `welcome`. */
  send(frame) {
    if (this.#socket?.readyState !== WebSocket.OPEN) return;
    this.#socket.send(JSON.stringify(frame));
    this.emit("sent", frame);
  }

  // The socket

  #connect() {
    const socket = new WebSocket(`${this.api.url.replace(/^http/, "ws")}/api/socket`, "tidings.v2", {
      headers: { Authorization: `Bearer ${this.api.token}` },
      handshakeTimeout: CONNECT_TIMEOUT_MS, perMessageDeflate: false, maxPayload: 1 << 20,
    });
    this.#socket = socket;
    let openedAt, refusal;
    socket.on("open", () => {
      openedAt = Date.now();
      this.#setState("opened");
      const cursors = this.#cursors(this.logs.values());
      this.#isReplaying = true;
      this.send({ type: "hello", cursors, watch: this.watch, idle: this.idle });
      this.#heard();
    });
    socket.on("ping", () => this.#heard());
    socket.on("message", (data) => {
      this.#heard();
      const frame = JSON.parse(data);
      this.emit("frame", frame);
      this.#onFrame(frame);
    });
    socket.on("unexpected-response", (_request, response) => {
      refusal = { status: response.statusCode, delay: Number(response.headers["retry-after"] ?? 0) * 1000 };
      response.resume();
      socket.terminate();
    });
    socket.on("error", (error) => { if (!refusal) this.emit("problem", { message: error.message }); });
    socket.on("close", (code) => { if (this.#socket === socket) this.#onClose(code, refusal, openedAt); });
  }

  #onClose(code, refusal, openedAt) {
    this.#clearTimers();
    this.outbox.onEnd();
    this.typing.clear();
    this.#hasList = false;
    this.closeCode = code;
    if (this.state === "stopped") return;
    if (code === 4501 || refusal?.status === 401) return this.#setState("logged out");
    if (code >= 4500 && code <= 4999) return this.#setState("stopped");
    this.#failures = openedAt && Date.now() - openedAt >= STEADY_MS ? 1 : this.#failures + 1;
    const { reconnect_min_ms: least, reconnect_max_ms: most } = this.limits;
    const span = Math.min(most, least * 2 ** this.#failures);
    const delay = Math.max(least + Math.random() * (span - least), refusal?.delay ?? 0);
    this.#setState("disconnected");
    this.#later(delay, () => this.#connect());
  }

  /** Notes a sign of life. After a silence the client asks for one, and then gives the socket up. */
  #heard() {
    this.#timers.delete(this.silence);
    clearTimeout(this.silence);
    this.silence = this.#later(SILENCE_MS, () => {
      this.send({ type: "ping" });
      this.silence = this.#later(PONG_TIMEOUT_MS, () => this.#socket.terminate());
    });
  }

  #onFrame(frame) {
    switch (frame.type) {
      case "welcome": return this.#onWelcome(frame);
      case "event": return this.#onEvent(frame);
      case "hidden": return this.#receive(frame.conversation, frame.seq);
      case "synced": return this.#onSynced(frame);
      case "stored": return this.#onStored(frame);
      case "receipt": return this.#onReceipt(frame);
      case "typing": return this.#onTyping(frame);
      case "presence": return this.#onPresence(frame);
      case "presence_diff": return this.#onPresenceDiff(frame);
      case "visibility": return this.#setInvisible(frame.invisible);
      case "resync": return this.#onResync();
      case "error": return this.#onError(frame);
    }
  }

  #onWelcome({ user, epoch, limits, invisible }) {
    const isSomeoneElse = this.user && this.user.id !== user.id;
    if (isSomeoneElse) this.outbox.clear();
    if (isSomeoneElse || (this.epoch && this.epoch !== epoch)) this.#forget();
    this.user = user;
    this.epoch = epoch;
    this.limits = limits;
    this.#setState("replaying");
    this.#setInvisible(invisible);
    this.outbox.onWelcome(limits);
  }

  #onResync() {
    this.#setState("replaying");
    this.#hasList = false;
    this.#sync(this.logs.values());
    this.send({ type: "watch", ...this.watch });
    this.outbox.begin();
  }

  async #onSynced({ truncated, reset }) {
    const socket = this.#socket;
    this.#isReplaying = false;
    this.#setState("live");
    for (const conversation of reset) this.conversations.delete(conversation);
    await Promise.all([
      ...reset.map((conversation) => this.load(conversation)),
      ...truncated.map((conversation) => this.#pageForward(conversation)),
    ]);
    // A position could mark a log as read that was restored.
    for (const conversation of reset) this.positions.delete(conversation);
    this.#repair();
    if (!this.#hasList) await this.#tell(() => this.#listAll(socket));
  }

  /** Loads the list, which has what a replay does not contain; then positions may be sent. */
  async #listAll(socket) {
    for (const position of this.positions.values()) position.sent = { delivered: 0, read: 0 };
    let next;
    do {
      const page = await this.#patiently(() => this.api.conversations({ limit: this.limits.history_page_max, ...(next && { before: next }) }));
      for (const conversation of page.conversations) this.#adoptConversation(conversation);
      next = page.next;
    } while (next);
    if (this.#socket !== socket || this.state !== "live") return;
    this.#hasList = true;
    this.#flushPositions();
    this.emit("conversations", [...this.conversations.values()]);
  }

  // Logs

  #onEvent(event) {
    const isKnown = event.kind === "message" || event.kind === "pin";
    this.#receive(event.conversation, event.seq, isKnown ? event : undefined);
    if (event.sender === this.user.id) this.outbox.onOwnEvent(event.client_id);
    else if (event.kind === "message") this.#stopTyping(event.conversation, event.sender);
  }

  #onStored({ client_id, conversation, seq, at }) {
    const entry = this.outbox.onStored(client_id);
    if (!entry) return this.#noteNumber(conversation, seq);
    this.#receive(conversation, seq, { conversation, seq, sender: this.user.id, client_id, at, ...entry.content });
  }

  #onError(error) {
    const refused = error.client_id && this.outbox.onError(error);
    if (refused) this.emit("refused", refused, error);
    else if (!error.client_id) this.emit("problem", error);
  }

  #logOf(conversation) {
    if (!this.logs.has(conversation)) this.load(conversation);
    return this.logs.get(conversation);
  }

  #receive(conversation, seq, event) {
    this.#logOf(conversation).receive(seq, event);
    if (event?.kind === "pin") this.emit("pins", conversation);
    this.#noteNumber(conversation, seq);
  }

  #noteNumber(conversation, seq) {
    const log = this.#logOf(conversation);
    log.highest = Math.max(log.highest, seq);
    this.#repair();
  }

  #repair() {
    const gaps = [...this.logs.values()].filter((log) => log.end < log.highest && !log.isPaging);
    if (gaps.length > 0 && !this.#isReplaying && this.state === "live") this.#sync(gaps);
  }

  #sync(logs) {
    this.#isReplaying = true;
    this.send({ type: "sync", cursors: this.#cursors(logs) });
  }

  #cursors(logs) {
    const held = [...logs].filter((log) => log.end !== undefined);
    const newest = (log) => log.messages.at(-1)?.at ?? "";
    return held.sort((a, b) => (newest(a) < newest(b) ? 1 : -1)).slice(0, CURSORS_MAX).map((log) => log.cursor());
  }

  /** Drops what is held of a conversation and loads the end of its log. */
  async load(conversation) {
    const log = new Log(conversation, (event) => this.#onAppend(event));
    this.logs.set(conversation, log);
    try {
      log.append(await this.#patiently(() => this.api.history(conversation)));
      await this.#refreshPins(log);
      this.#repair();
    } catch (error) {
      // It is gone, or it will be loaded the next time that something is heard of it.
      if (this.logs.get(conversation) === log) this.logs.delete(conversation);
      if (error.status === 404) this.conversations.delete(conversation);
      this.emit("problem", error);
    }
  }

  /** Loads what a replay has left out. */
  async #pageForward(conversation) {
    const log = this.logs.get(conversation);
    if (!log || log.isPaging) return;
    log.isPaging = true;
    await this.#tell(async () => {
      do log.append(await this.#patiently(() => this.api.history(conversation, { after: log.end })));
      while (log.end < log.highest);
      await this.#refreshPins(log);
    });
    log.isPaging = false;
  }

  /** Loads the page before what is held. Returns whether there was one. */
  async pageBackward(conversation) {
    const log = this.logs.get(conversation);
    if (log.from <= 1) return false;
    log.prepend(await this.#patiently(() => this.api.history(conversation, { before: log.from })));
    return true;
  }

  async #refreshPins(log) {
    this.#adoptConversation(await this.#patiently(() => this.api.conversation(log.conversation)));
  }

  /** Tells a failure that nobody waits for. */
  #tell(task) { return task().catch((error) => this.emit("problem", error)); }

  /** Repeats a request that was refused for now. */
  async #patiently(request) {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await request();
      } catch (error) {
        if (!error.retry_after_ms || attempt === 5) throw error;
        await wait(error.retry_after_ms);
      }
    }
  }

  // Conversations, positions and unread

  #adoptConversation(fresh) {
    const known = this.conversations.get(fresh.id);
    const log = this.logs.get(fresh.id);
    const members = new Map(fresh.members.map((member) => {
      const old = known?.members.get(member.user.id);
      return [member.user.id, {
        ...member,
        delivered: Math.max(member.delivered, old?.delivered ?? 0), read: Math.max(member.read, old?.read ?? 0),
      }];
    }));
    const counted = Math.max(fresh.last_seq, known?.counted ?? 0);
    const unread = fresh.last_seq >= (known?.counted ?? 0) ? fresh.unread : known.unread;
    this.conversations.set(fresh.id, { id: fresh.id, members, last: fresh.last, unread, counted });
    if (!log) return;
    log.adoptPins(fresh);
    this.emit("pins", fresh.id);
    this.#noteNumber(fresh.id, fresh.last_seq);
    this.#flushPositions();
  }

  /** Handles an event that has joined the run of its log. */
  #onAppend(event) {
    const conversation = this.conversations.get(event.conversation);
    const isOwn = event.sender === this.user.id;
    if (conversation && event.seq > conversation.counted) {
      const read = conversation.members.get(this.user.id).read;
      const isUnread = event.kind === "message" && !isOwn && event.seq > read;
      conversation.counted = event.seq;
      if (isUnread) conversation.unread = Math.min(100, conversation.unread + 1);
      if (event.kind === "message") conversation.last = event;
    }
    if (!isOwn) this.#wantPosition(event.conversation, "delivered", event.seq);
    this.emit("event", event);
    if (event.kind === "message") this.emit("message", event);
  }

  #wantPosition(conversation, position, seq) {
    const wanted = this.positions.get(conversation) ?? { delivered: 0, read: 0, sent: { delivered: 0, read: 0 } };
    wanted[position] = Math.max(wanted[position], seq);
    this.positions.set(conversation, wanted);
    this.#flushPositions();
  }

  /** Sends what has grown: one position of a conversation at a time, and of not too many conversations. */
  #flushPositions() {
    if (!this.#hasList || this.positionTimer) return;
    let room = CONVERSATIONS_PER_INTERVAL;
    for (const [conversation, wanted] of this.positions) {
      const { sent } = wanted;
      const own = this.conversations.get(conversation)?.members.get(this.user.id);
      const position = own && ["read", "delivered"].find((name) => wanted[name] > Math.max(own[name], sent[name]));
      if (!position) continue;
      this.send({ type: position, conversation, seq: wanted[position] });
      sent[position] = wanted[position];
      sent.delivered = Math.max(sent.delivered, sent.read);
      room -= 1;
      if (room === 0) break;
    }
    if (room === CONVERSATIONS_PER_INTERVAL) return;
    this.positionTimer = this.#later(this.limits.receipt_interval_ms, () => {
      this.positionTimer = undefined;
      this.#flushPositions();
    });
  }

  #onReceipt({ conversation, user, delivered, read, unread }) {
    const known = this.conversations.get(conversation);
    const member = known?.members.get(user);
    if (member) {
      member.delivered = Math.max(member.delivered, delivered);
      member.read = Math.max(member.read, read);
      if (unread !== undefined && read >= member.read) known.unread = unread;
    }
    this.emit("receipt", { conversation, user, delivered, read, unread });
  }

  // Typing and presence

  #onTyping({ conversation, user }) {
    clearTimeout(this.typing.get(conversation)?.get(user));
    const typers = this.typing.get(conversation) ?? new Map();
    typers.set(user, this.#later(this.limits.typing_expiry_ms, () => this.#stopTyping(conversation, user)));
    this.typing.set(conversation, typers);
    this.emit("typing", { conversation, user, isTyping: true });
  }

  #stopTyping(conversation, user) {
    const typers = this.typing.get(conversation);
    if (!typers?.has(user)) return;
    clearTimeout(typers.get(user));
    typers.delete(user);
    this.emit("typing", { conversation, user, isTyping: false });
  }

  #onPresence({ version, count, complete, online, away = [] }) {
    this.presence = { version, count, complete, online: new Map(online.map((user) => [user.id, user])), away: new Set(away) };
    this.emit("presence", this.presence);
  }

  #onPresenceDiff({ version, count, joins, leaves, away = [], back = [] }) {
    const { presence } = this;
    if (version <= presence.version) return;
    Object.assign(presence, { version, count });
    for (const user of joins) {
      presence.online.set(user.id, user);
      presence.away.delete(user.id);
    }
    for (const id of leaves) {
      presence.online.delete(id);
      presence.away.delete(id);
      for (const conversation of this.typing.keys()) this.#stopTyping(conversation, id);
    }
    for (const id of away) presence.away.add(id);
    for (const id of back) presence.away.delete(id);
    this.emit("presence", presence);
  }

  #setInvisible(invisible) {
    this.invisible = invisible;
    this.emit("visibility", invisible);
  }

  // Small things

  #setState(state) {
    if (state === this.state) return;
    this.state = state;
    this.emit("state", state);
  }

  #later(ms, action) {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      action();
    }, ms);
    this.#timers.add(timer);
    return timer;
  }

  #clearTimers() {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
    this.positionTimer = undefined;
  }
}
