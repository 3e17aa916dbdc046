import { type Api, ApiError } from "./engine/api";
import type { Chat, StateStore } from "./engine/model";
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
    for (const chat of chats.values()) {
      if (logs.has(chat.id) && !this.pumping.has(chat.id)) void this.pump(chat);
    }
  }

  private async pump({ id, members }: Chat): Promise<void> {
    const me = this.me();
    if (me === null) return;
    this.pumping.add(id);
    const read = members.find((member) => member.user.id === me)?.read ?? 0;
    if (!this.given.has(id)) this.given.set(id, read);
    for (let more = await this.more(id); more.length > 0; more = await this.more(id)) {
      for (const message of more) await this.give(message, me);
    }
    this.pumping.delete(id);
  }

  private async give(message: Message, me: UserId): Promise<void> {
    const { conversation, seq, sender } = message;
    if (sender !== me) await this.listener(message);
    this.given.set(conversation, seq);
    if (sender !== me) this.source.seen(conversation, seq);
  }

  /** What is there after the last message given out. */
  private async more(id: ConversationId): Promise<readonly Message[]> {
    const after = this.given.get(id) ?? 0;
    const { logs, limits } = this.source.store.get();
    const log = logs.get(id);
    if (log === undefined || this.me() === null) return [];
    if (after >= log.base) return log.messages.slice(after - log.base);
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
