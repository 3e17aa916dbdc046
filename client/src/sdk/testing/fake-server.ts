import { ApiError, type HistoryRange } from "../engine/api";
import type { OutboxStorage } from "../engine/model";
import type { Entry } from "../engine/outbox";
import type {
  ClientFrame,
  Conversation,
  ConversationId,
  Conversations,
  Cursor,
  History,
  Limits,
  Message,
  ServerFrame,
  Session,
  User,
} from "../protocol/generated";
import type { FakeSocket } from "./fake-socket";

export const ADA: User = { id: "ada", name: "Ada" };
export const BOB: User = { id: "bob", name: "Bob" };
export const CONVERSATION = "c1";

export const LIMITS: Limits = {
  text_max_chars: 4_000,
  unacknowledged_sends: 32,
  sends_per_second: 0,
  sends_burst: 0,
  typing_interval_ms: 3_000,
  typing_expiry_ms: 6_000,
  receipt_interval_ms: 300,
  reconnect_min_ms: 500,
  reconnect_max_ms: 20_000,
  history_page_max: 10,
};

/** One conversation of Ada and Bob, kept by the rules of docs/protocol.md, as Ada sees it. */
export class FakeServer {
  readonly log: Message[] = [];
  epoch = "one";
  loggedIn = true;
  reachable = true;
  /** The day of everything that is stored. */
  day = 23;
  /** Everything said of whether the page is left alone, with each hello too. */
  readonly idle: boolean[] = [];
  /** Requests answered, by name. */
  readonly asked: string[] = [];
  private readonly positions = new Map([
    [ADA.id, { delivered: 0, read: 0 }],
    [BOB.id, { delivered: 0, read: 0 }],
  ]);

  store(sender: User, clientId: string, body: string): Message {
    const known = this.log.find((held) => held.client_id === clientId);
    if (known !== undefined) return known;
    const seq = this.log.length + 1;
    const at = new Date(Date.UTC(2026, 10, this.day) + seq * 1_000).toISOString();
    const message = {
      conversation: CONVERSATION,
      seq,
      sender: sender.id,
      client_id: clientId,
      at,
      body,
    };
    this.log.push(message);
    return message;
  }

  /** Bob writes `count` messages. */
  fromBob(count: number): Message[] {
    return Array.from({ length: count }, () => {
      const name = `bob-${this.log.length + 1}`;
      return this.store(BOB, name, `text of ${name}`);
    });
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
        this.idle.push(frame.idle ?? false);
        return [this.welcome(), ...this.replay(frame.cursors)];
      case "sync":
        return this.replay(frame.cursors);
      case "send": {
        const duplicate = this.log.some((held) => held.client_id === frame.client_id);
        const { client_id, conversation, seq, at } = this.store(ADA, frame.client_id, frame.body);
        return [{ type: "stored", client_id, conversation, seq, at, duplicate }];
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
    const unread = this.log.filter(
      (held) => held.sender !== ADA.id && held.seq > this.position(ADA.id).read,
    ).length;
    const last = this.log.at(-1) ?? null;
    return { id: CONVERSATION, members, last_seq: this.log.length, last, unread };
  }

  private replay(cursors: readonly Cursor[]): ServerFrame[] {
    const undone = ({ seq, at }: Cursor) =>
      seq > this.log.length || (at !== undefined && at !== this.log[seq - 1]?.at);
    const missed = cursors
      .filter((cursor) => !undone(cursor))
      .flatMap(({ seq }) => this.log.filter((held) => held.seq > seq));
    const reset = cursors.filter(undone).map((cursor) => cursor.conversation);
    return [
      ...missed.map((message): ServerFrame => ({ type: "message", ...message })),
      { type: "synced", truncated: [], reset },
    ];
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

/** The HTTP API of a fake server. */
export class FakeApi {
  constructor(private readonly server: FakeServer) {}

  async session(): Promise<Session> {
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
    const { log } = this.server;
    const messages =
      "after" in range
        ? log.filter((held) => held.seq > range.after).slice(0, limit)
        : log.filter((held) => held.seq < range.before).slice(-limit);
    return { messages, last_seq: log.length };
  }

  private admit(name: string): void {
    if (!this.server.reachable) throw new ApiError("unreachable", "Nothing answers.");
    if (!this.server.loggedIn) throw new ApiError("unauthorized", "Log in first.");
    this.server.asked.push(name);
  }
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
