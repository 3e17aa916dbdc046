import type { ConversationId, Message } from "../protocol/generated";
import { heldTo } from "./log";
import type { StateStore } from "./model";

/**
 * Tells news from repetition. During a replay only the last message of each
 * conversation is kept, so that coming back does not bring a hundred toasts.
 */
export class Incoming {
  private readonly news = new Map<ConversationId, Message>();

  constructor(
    private readonly store: StateStore,
    private readonly announce: (message: Message, missed: boolean) => void,
  ) {}

  /** To be called before the message is placed. */
  weigh(message: Message): void {
    const { stage, logs, chats } = this.store.get();
    if (stage.kind !== "active" || message.sender === stage.me.id) return;
    const log = logs.get(message.conversation);
    if (log !== undefined && (message.seq <= heldTo(log) || log.aside.has(message.seq))) return;
    const own = chats
      .get(message.conversation)
      ?.members.find((member) => member.user.id === stage.me.id);
    if (message.seq <= (own?.read ?? 0)) return;
    const held = this.news.get(message.conversation);
    if (held === undefined || held.seq < message.seq) this.news.set(message.conversation, message);
  }

  /** Announces what came; to be called whenever no replay is going on. */
  release(missed = false): void {
    const news = [...this.news.values()];
    this.news.clear();
    for (const message of news) this.announce(message, missed);
  }

  forget(): void {
    this.news.clear();
  }
}
