import type { ConversationId } from "../protocol/generated";
import type { Message } from "../protocol/message";
import type { StateStore } from "../store/store";

/**
 * Tells new messages of others from repeated ones. During a replay only the last message
 * of each conversation is kept, so that reconnecting does not show a hundred toasts.
 */
export class Incoming {
  /**
   * The last number of each conversation that is no news any more. It is not that of the log:
   * the list may bring a message a moment before its event comes.
   */
  private readonly known = new Map<ConversationId, number>();
  private readonly news = new Map<ConversationId, Message>();

  constructor(
    private readonly store: StateStore,
    private readonly announce: (message: Message, missed: boolean) => void,
  ) {}

  /** To be called when a replay is asked for: what the logs hold by now is no news. */
  begin(): void {
    for (const [conversation, { end }] of this.store.get().logs) this.note(conversation, end);
  }

  /** To be called for each message that comes over the socket. */
  collect(message: Message): void {
    const { conversation, seq, sender } = message;
    const { auth, conversations } = this.store.get();
    if (auth.kind !== "active" || sender === auth.me.id) return;
    if (seq <= (this.known.get(conversation) ?? 0)) return;
    this.note(conversation, seq);
    const own = conversations
      .get(conversation)
      ?.members.find((member) => member.user.id === auth.me.id);
    if (seq > (own?.read ?? 0)) this.news.set(conversation, message);
  }

  /** Announces what was collected; to be called whenever no replay is running. */
  announceAll(missed = false): void {
    const news = [...this.news.values()];
    this.news.clear();
    for (const message of news) this.announce(message, missed);
  }

  /** Forgets a conversation whose numbers begin again, or all of them. */
  forget(conversation?: ConversationId): void {
    if (conversation === undefined) {
      this.known.clear();
      this.news.clear();
    } else {
      this.known.delete(conversation);
      this.news.delete(conversation);
    }
  }

  private note(conversation: ConversationId, seq: number): void {
    this.known.set(conversation, Math.max(seq, this.known.get(conversation) ?? 0));
  }
}
