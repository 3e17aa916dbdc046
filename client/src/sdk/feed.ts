import { type Api, ApiError } from "./engine/api";
import { heldTo } from "./engine/log";
import type { StateStore } from "./engine/model";
import type { ConversationId, Message, UserId } from "./protocol/generated";

/** Called with one message at a time; the next of that conversation waits for it. */
export type Listener = (message: Message) => unknown;

/** What messages are read through. */
interface Source {
  readonly store: StateStore;
  readonly api: Pick<Api, "history">;
  /** Marks everything up to this number as read. */
  readonly seen: (conversation: ConversationId, seq: number) => void;
}

/**
 * Gives every message of others to a listener, in order, each once: from the
 * first that this user has not read. Read is what the listener has returned
 * from, so what a crash interrupts comes again.
 */
export class Feed {
  /** How far each conversation was given out. */
  private readonly given = new Map<ConversationId, number>();
  private readonly pumping = new Set<ConversationId>();

  constructor(
    private readonly source: Source,
    private readonly listener: Listener,
  ) {}

  /** Looks for what is new; to be called after every change of the store. */
  look(): void {
    const { chats, logs } = this.source.store.get();
    // Numbers that were undone on the server are those of other messages when they come again.
    for (const id of this.given.keys()) if (!logs.has(id)) this.given.delete(id);
    for (const id of chats.keys()) {
      if (!this.pumping.has(id) && this.isBehind(id)) void this.pump(id);
    }
  }

  private async pump(id: ConversationId): Promise<void> {
    this.pumping.add(id);
    while (this.isBehind(id)) {
      const after = this.position(id);
      this.given.set(id, after);
      const next = await this.next(id, after);
      if (next.length === 0) break;
      for (const message of next) await this.give(message);
    }
    this.pumping.delete(id);
  }

  private async give(message: Message): Promise<void> {
    const { conversation, seq, sender } = message;
    const { given } = this;
    const news = sender !== this.me();
    if (news && given.has(conversation)) await this.listener(message);
    // The log has begun anew meanwhile.
    if (!given.has(conversation)) return;
    given.set(conversation, seq);
    if (news) this.source.seen(conversation, seq);
  }

  private isBehind(id: ConversationId): boolean {
    const log = this.source.store.get().logs.get(id);
    return log !== undefined && this.me() !== null && this.position(id) < heldTo(log);
  }

  /** Everything up to this number was given out, or read before. */
  private position(id: ConversationId): number {
    const members = this.source.store.get().chats.get(id)?.members ?? [];
    const read = members.find((member) => member.user.id === this.me())?.read ?? 0;
    return this.given.get(id) ?? read;
  }

  /** What is there after this number. */
  private async next(id: ConversationId, after: number): Promise<readonly Message[]> {
    const { logs, limits } = this.source.store.get();
    const log = logs.get(id);
    if (log !== undefined && after >= log.base) return log.messages.slice(after - log.base);
    // What is held begins further on.
    try {
      return (await this.source.api.history(id, { after }, limits.history_page_max)).messages;
    } catch (error) {
      // The next change of the store, such as a new connection, brings another attempt.
      if (error instanceof ApiError) return [];
      throw error;
    }
  }

  private me(): UserId | null {
    const { stage } = this.source.store.get();
    return stage.kind === "active" ? stage.me.id : null;
  }
}
