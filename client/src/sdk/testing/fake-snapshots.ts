import type { SnapshotStorage } from "../engine/ports";
import type { ConversationId, UserId } from "../protocol/generated";
import type { Snapshot, SnapshotHead, StoredConversation } from "../store/snapshot";

/** A snapshot storage that outlives an engine, as IndexedDB outlives a page. */
export class FakeSnapshots implements SnapshotStorage {
  readonly conversations = new Map<ConversationId, StoredConversation>();
  head: SnapshotHead | null = null;
  owner: UserId | null = null;

  async read(): Promise<Snapshot | null> {
    const { head, conversations } = this;
    return head === null
      ? null
      : structuredClone({ head, conversations: [...conversations.values()] });
  }

  async own(user: UserId): Promise<void> {
    if (this.owner !== null && this.owner !== user) await this.clear(this.owner);
    this.owner = user;
  }

  async write(
    head: SnapshotHead,
    put: readonly StoredConversation[],
    gone: readonly ConversationId[],
  ): Promise<void> {
    if (head.me.id !== this.owner) return;
    this.head = structuredClone(head);
    for (const kept of put) this.conversations.set(kept.chat.id, structuredClone(kept));
    for (const id of gone) this.conversations.delete(id);
  }

  async clear(user: UserId): Promise<void> {
    if (user !== this.owner) return;
    this.owner = null;
    this.head = null;
    this.conversations.clear();
  }
}
