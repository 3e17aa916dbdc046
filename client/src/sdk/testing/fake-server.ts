import { ApiError, type HistoryRange } from "../connection/api";
import type { OutboxStorage } from "../engine/ports";
import type { Entry } from "../outbox/outbox";
import {
  type ClientFrame,
  type Content,
  type Conversation,
  type ConversationId,
  type Conversations,
  type Cursor,
  DEFAULT_LIMITS,
  type Event,
  type History,
  type Limits,
  PINS_MAX,
  type Send,
  type ServerFrame,
  type Session,
  type User,
} from "../protocol/generated";
import { isMessage, isPin, type Message, type Numbered } from "../protocol/message";
import type { FakeSocket } from "./fake-socket";

export const ADA: User = { id: "ada", name: "Ada" };
export const BOB: User = { id: "bob", name: "Bob" };
export const CONVERSATION = "c1";

export const LIMITS: Limits = {
  ...DEFAULT_LIMITS,
  sends_per_second: 0,
  sends_burst: 0,
  history_page_max: 10,
};

/** One conversation of Ada and Bob, kept by the rules of docs/protocol.md, as Ada sees it. */
export class FakeServer {
  /** Event `n` is the one at `n - 1`. */
  readonly log: Numbered[] = [];
  epoch = "one";
  loggedIn = true;
  /** Whether it is asked with a bearer token: one that opens nothing is refused. */
  takesTokens = false;
  reachable = true;
  /** The day of everything that is stored. */
  day = 23;
  /** Everything said of whether the page is left alone, with each hello too. */
  readonly idle: boolean[] = [];
  /** So many of the next sends are refused for now. */
  refusals = 0;
  /** Refused on this connection, and neither back nor given up: others wait for the first. */
  refused: string[] = [];
  /** Requests answered, by name. */
  readonly asked: string[] = [];
  private readonly positions = new Map([
    [ADA.id, { delivered: 0, read: 0 }],
    [BOB.id, { delivered: 0, read: 0 }],
  ]);

  get messages(): Message[] {
    return this.log.filter(isMessage);
  }

  /** The numbers of the pinned messages, the one pinned first in front. */
  get pins(): number[] {
    const changes = this.log.filter(isPin);
    const since = ({ seq }: Message) => {
      const own = changes.filter(({ target }) => target === seq);
      const off = own.findLastIndex(({ on }) => !on);
      return own[off + 1]?.seq ?? null;
    };
    return this.messages
      .map((message) => ({ seq: message.seq, since: since(message) }))
      .filter(({ since }) => since !== null)
      .sort((a, b) => Number(a.since) - Number(b.since))
      .map(({ seq }) => seq);
  }

  store(sender: User, clientId: string, content: Content): Event {
    const known = this.stored(clientId);
    if (known !== undefined) return known;
    const seq = this.log.length + 1;
    const at = new Date(Date.UTC(2026, 10, this.day) + seq * 1_000).toISOString();
    const header = { conversation: CONVERSATION, seq, sender: sender.id, client_id: clientId, at };
    const event: Event = { ...header, ...content };
    this.log.push(event);
    return event;
  }

  /** Bob writes `count` messages. */
  fromBob(count: number): Message[] {
    return Array.from({ length: count }, () => {
      const name = `bob-${this.log.length + 1}`;
      return this.store(BOB, name, { kind: "message", body: `text of ${name}` });
    }).filter(isMessage);
  }

  /** Bob pins a message, or unpins it. */
  pinnedByBob(target: number, on = true): Event {
    return this.store(BOB, `bob-${this.log.length + 1}`, { kind: "pin", target, on });
  }

  /** Something happens that Ada is not shown. */
  hide(): Numbered {
    const hidden = { conversation: CONVERSATION, seq: this.log.length + 1 };
    this.log.push(hidden);
    return hidden;
  }

  /** Something of a kind that came after this client. */
  fromTheFuture(): Event {
    const content = { kind: "poll", question: "Tea?" } as unknown as Content;
    return this.store(BOB, `bob-${this.log.length + 1}`, content);
  }

  /** Goes back to a backup that has the first `count` messages; what comes is of the next day. */
  goBack(count: number): void {
    this.log.length = count;
    this.day += 1;
    for (const position of this.positions.values()) {
      position.delivered = Math.min(position.delivered, count);
      position.read = Math.min(position.read, count);
    }
  }

  /** What the server answers to one frame. */
  answer(frame: ClientFrame): ServerFrame[] {
    switch (frame.type) {
      case "hello":
        this.refused = [];
        this.idle.push(frame.idle ?? false);
        return [this.welcome(), ...this.replay(frame.cursors)];
      case "sync":
        return this.replay(frame.cursors);
      case "give_up":
        this.refused = this.refused.filter((id) => id !== frame.client_id);
        return [];
      case "send": {
        const { type: _type, ...send } = frame;
        const refusal = this.refuse(send.client_id) ?? this.refuseForGood(send);
        return [refusal ?? this.storeOf(send)];
      }
      case "delivered":
      case "read":
        return [this.receipt(frame.type, frame.seq)];
      case "activity":
        this.idle.push(frame.idle);
        return [];
      case "ping":
        return [{ type: "pong" }];
      default:
        return [];
    }
  }

  /** Opens a socket and answers everything on it, until nothing more is said. */
  serve(socket: FakeSocket): void {
    socket.open();
    this.attend(socket);
  }

  attend(socket: FakeSocket): void {
    for (let frames = socket.take(); frames.length > 0; frames = socket.take()) {
      for (const frame of frames) socket.receive(...this.answer(frame));
    }
  }

  welcome(): ServerFrame {
    return { type: "welcome", user: ADA, epoch: this.epoch, limits: LIMITS, invisible: false };
  }

  conversation(): Conversation {
    const members = [ADA, BOB].map((user) => ({ user, ...this.position(user.id) }));
    const unread = this.messages.filter(
      (held) => held.sender !== ADA.id && held.seq > this.position(ADA.id).read,
    ).length;
    const last = this.messages.at(-1) ?? null;
    const { pins } = this;
    return { id: CONVERSATION, members, ...this.end, last, unread, pins };
  }

  /** The last event. */
  get end(): Pick<Conversation, "last_seq" | "last_at"> {
    const last = this.log.at(-1);
    return {
      last_seq: this.log.length,
      last_at: last !== undefined && "at" in last ? last.at : null,
    };
  }

  private storeOf({ client_id, conversation: _conversation, ...content }: Send): ServerFrame {
    const duplicate = this.stored(client_id) !== undefined;
    const { conversation, seq, at } = this.store(ADA, client_id, content);
    return { type: "stored", client_id, conversation, seq, at, duplicate };
  }

  private stored(clientId: string): Event | undefined {
    return this.log.find((event) => "client_id" in event && event.client_id === clientId) as
      | Event
      | undefined;
  }

  /** What is not stored, however often it comes. */
  private refuseForGood(send: Send): ServerFrame | null {
    if (send.kind !== "pin" || this.stored(send.client_id) !== undefined) return null;
    const { client_id, target, on } = send;
    const refusal = { type: "error", client_id, message: "Never." } as const;
    const message = this.log[target - 1];
    if (message === undefined || !isMessage(message))
      return { ...refusal, code: "not_found", field: "target" };
    const { pins } = this;
    const full = on && !pins.includes(target) && pins.length >= PINS_MAX;
    return full ? { ...refusal, code: "too_many_pins" } : null;
  }

  /** A send passes when every earlier one that was refused is back. */
  private refuse(client_id: string): ServerFrame | null {
    const first = this.refused[0] ?? client_id;
    if (first === client_id && this.refusals === 0) {
      this.refused.shift();
      return null;
    }
    if (!this.refused.includes(client_id)) this.refused.push(client_id);
    const refusal = { type: "error", message: "Later.", retry_after_ms: 200, client_id } as const;
    if (first !== client_id) return { ...refusal, code: "busy", after: first };
    this.refusals -= 1;
    return { ...refusal, code: "rate_limited" };
  }

  private replay(cursors: readonly Cursor[]): ServerFrame[] {
    const undone = ({ seq, at }: Cursor) =>
      seq > this.log.length || (at !== undefined && at !== timeOf(this.log[seq - 1]));
    const missed = cursors
      .filter((cursor) => !undone(cursor))
      .flatMap(({ seq }) => this.log.filter((held) => held.seq > seq));
    const reset = cursors.filter(undone).map((cursor) => cursor.conversation);
    return [...missed.map(frameOf), { type: "synced", truncated: [], reset }];
  }

  private receipt(kind: "delivered" | "read", seq: number): ServerFrame {
    const position = this.position(ADA.id);
    position[kind] = Math.max(position[kind], Math.min(seq, this.log.length));
    const { unread } = this.conversation();
    return { type: "receipt", conversation: CONVERSATION, user: ADA.id, ...position, unread };
  }

  private position(user: string) {
    const position = this.positions.get(user);
    if (position === undefined) throw new Error(`nobody is called ${user}`);
    return position;
  }
}

/** The frame that brings an event. */
export function frameOf(event: Numbered): ServerFrame {
  return "kind" in event ? { type: "event", ...event } : { type: "hidden", ...event };
}

function timeOf(event: Numbered | undefined): string | undefined {
  return event !== undefined && "at" in event ? event.at : undefined;
}

/** The HTTP API of a fake server. */
export class FakeApi {
  constructor(private readonly server: FakeServer) {}

  async session(): Promise<Session | null> {
    const { reachable, loggedIn, takesTokens } = this.server;
    if (reachable && !loggedIn && !takesTokens) return null;
    this.admit("session");
    return { user: ADA, has_password: false, invisible: false };
  }

  async logIn(): Promise<Session> {
    this.server.loggedIn = true;
    this.admit("logIn");
    return { user: ADA, has_password: false, invisible: false };
  }

  async logOut(): Promise<void> {
    this.admit("logOut");
    this.server.loggedIn = false;
  }

  async conversations(): Promise<Conversations> {
    this.admit("conversations");
    const conversations = this.server.log.length > 0 ? [this.server.conversation()] : [];
    return { conversations, next: null };
  }

  async openConversation(): Promise<Conversation> {
    this.admit("openConversation");
    return this.server.conversation();
  }

  async conversation(_id: ConversationId): Promise<Conversation> {
    this.admit("conversation");
    return this.server.conversation();
  }

  async history(_id: ConversationId, range: HistoryRange, limit: number): Promise<History> {
    this.admit("history");
    const { messages } = this.server;
    const { end } = this.server;
    if ("pinned" in range) {
      const { pins } = this.server;
      const pinned = messages.filter(({ seq }) => pins.includes(seq));
      return pageBefore(pinned, range.before ?? end.last_seq + 1, limit, end);
    }
    if ("before" in range) return pageBefore(messages, range.before, limit, end);
    if ("around" in range) {
      const half = Math.max(1, limit >> 1);
      const before = pageBefore(messages, range.around + 1, half, end);
      const after = pageAfter(messages, range.around, half, end);
      return { ...after, messages: [...before.messages, ...after.messages], from: before.from };
    }
    return pageAfter(messages, range.after, limit, end);
  }

  async answers(): Promise<boolean> {
    return this.server.reachable;
  }

  private admit(name: string): void {
    if (!this.server.reachable) throw new ApiError("unreachable", "Nothing answers.");
    if (!this.server.loggedIn) throw new ApiError("unauthorized", "Log in first.");
    this.server.asked.push(name);
  }
}

/** The last messages before a number; what is before the first one is covered, if they are all. */
function pageBefore(
  messages: readonly Message[],
  before: number,
  limit: number,
  end: Pick<History, "last_seq" | "last_at">,
): History {
  const earlier = messages.filter(({ seq }) => seq < before);
  const page = earlier.slice(-limit);
  const from = earlier.length > limit ? (page[0]?.seq ?? 1) : 1;
  return { messages: page, from, to: before - 1, ...end };
}

/** The first messages after a number; what is after the last one is covered, if they are all. */
function pageAfter(
  messages: readonly Message[],
  after: number,
  limit: number,
  end: Pick<History, "last_seq" | "last_at">,
): History {
  const later = messages.filter(({ seq }) => seq > after);
  const page = later.slice(0, limit);
  const to = later.length > limit ? (page.at(-1)?.seq ?? end.last_seq) : end.last_seq;
  return { messages: page, from: after + 1, to, ...end };
}

/** An outbox storage that outlives an engine, as IndexedDB outlives a page. */
export class FakeStorage implements OutboxStorage {
  readonly rows = new Map<string, Entry>();

  async put(_user: string, entries: readonly Entry[]): Promise<void> {
    for (const entry of entries) this.rows.set(entry.clientId, { ...entry, state: "waiting" });
  }

  async delete(clientIds: readonly string[]): Promise<void> {
    for (const id of clientIds) this.rows.delete(id);
  }

  async adopt(): Promise<Entry[]> {
    return [...this.rows.values()];
  }

  async clear(): Promise<void> {
    this.rows.clear();
  }
}
