import type { ConversationId } from "../protocol/generated";
import type { Message } from "../protocol/message";
import type { StateStore } from "../store/store";
import { holds } from "../timeline/log";

/**
 * Tells new messages of others from repeated ones. During a replay only the last message
 * of each conversation is kept, so that reconnecting does not show a hundred toasts.
 */
export class Incoming {
  private readonly news = new Map<ConversationId, Message>();

  constructor(
    private readonly store: StateStore,
    private readonly announce: (message: Message, missed: boolean) => void,
  ) {}

  /** To be called before the message is added to the log. */
  collect(message: Message): void {
    const { auth, logs, conversations } = this.store.get();
    if (auth.kind !== "active" || message.sender === auth.me.id) return;
    const log = logs.get(message.conversation);
    if (log !== undefined && holds(log, message.seq)) return;
    const own = conversations
      .get(message.conversation)
      ?.members.find((member) => member.user.id === auth.me.id);
    if (message.seq <= (own?.read ?? 0)) return;
    const held = this.news.get(message.conversation);
    if (held === undefined || held.seq < message.seq) this.news.set(message.conversation, message);
  }

  /** Announces what was collected; to be called whenever no replay is running. */
  announceAll(missed = false): void {
    const news = [...this.news.values()];
    this.news.clear();
    for (const message of news) this.announce(message, missed);
  }

  forget(): void {
    this.news.clear();
  }
}
