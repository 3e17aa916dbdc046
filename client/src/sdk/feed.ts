import { type Api, ApiError } from "./connection/api";
import type { ConversationId, UserId } from "./protocol/generated";
import { isMessage, type Message } from "./protocol/message";
import type { StateStore } from "./store/store";
import { messagesAfter } from "./timeline/log";

/** Called with one message at a time; the next of that conversation waits for it. */
export type Listener = (message: Message) => unknown;

/** The messages of some numbers, the last of which is `to`. */
interface Stretch {
  readonly messages: readonly Message[];
  readonly to: number;
}

/** Where messages are read from. */
interface Source {
  readonly store: StateStore;
  readonly api: Pick<Api, "history">;
  /** Marks everything up to this number as read. */
  readonly seen: (conversation: ConversationId, seq: number) => void;
}

/**
 * Passes every message of others to a listener, in order, each once: from the
 * first that this user has not read. A message is read once the listener has returned,
 * so a message that a crash interrupts comes again.
 */
export class Feed {
  /** The last number passed on, by conversation. */
  private readonly given = new Map<ConversationId, number>();
  private readonly pumping = new Set<ConversationId>();

  constructor(
    private readonly source: Source,
    private readonly listener: Listener,
  ) {}

  /** Looks for what is new; to be called after every change of the store. */
  look(): void {
    const { conversations, logs } = this.source.store.get();
    // After a reset on the server, the same numbers are those of other messages.
    for (const id of this.given.keys()) if (!logs.has(id)) this.given.delete(id);
    for (const id of conversations.keys()) {
      if (!this.pumping.has(id) && this.isBehind(id)) void this.pump(id);
    }
  }

  private async pump(id: ConversationId): Promise<void> {
    this.pumping.add(id);
    while (this.isBehind(id)) {
      const after = this.position(id);
      this.given.set(id, after);
      const next = await this.next(id, after);
      if (next.to <= after) break;
      for (const message of next.messages) await this.give(message);
      // What follows the last message are changes. Unless the log has begun again meanwhile.
      if (this.given.has(id)) this.given.set(id, next.to);
    }
    this.pumping.delete(id);
  }

  private async give(message: Message): Promise<void> {
    const { conversation, seq, sender } = message;
    const { given } = this;
    const news = sender !== this.me();
    if (news && given.has(conversation)) await this.listener(message);
    // The log has begun again meanwhile.
    if (!given.has(conversation)) return;
    given.set(conversation, seq);
    if (news) this.source.seen(conversation, seq);
  }

  private isBehind(id: ConversationId): boolean {
    const log = this.source.store.get().logs.get(id);
    return log !== undefined && this.me() !== null && this.position(id) < log.end;
  }

  /** The number up to which everything was passed on, or read before. */
  private position(id: ConversationId): number {
    const members = this.source.store.get().conversations.get(id)?.members ?? [];
    const read = members.find((member) => member.user.id === this.me())?.read ?? 0;
    return this.given.get(id) ?? read;
  }

  /** The messages after this number; none if they cannot be fetched now. */
  private async next(id: ConversationId, after: number): Promise<Stretch> {
    const { logs, limits } = this.source.store.get();
    const log = logs.get(id);
    if (log !== undefined && after >= log.base)
      return { messages: messagesAfter(log, after), to: log.end };
    // The log begins later.
    try {
      const page = await this.source.api.history(id, { after }, limits.history_page_max);
      return { messages: page.messages.filter(isMessage), to: page.to };
    } catch (error) {
      // The next change of the store, such as a new connection, brings another attempt.
      if (error instanceof ApiError) return { messages: [], to: after };
      throw error;
    }
  }

  private me(): UserId | null {
    const { auth } = this.source.store.get();
    return auth.kind === "active" ? auth.me.id : null;
  }
}
