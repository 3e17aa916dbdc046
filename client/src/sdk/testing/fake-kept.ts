import type { SnapshotStorage } from "../engine/model";
import type { Head, KeptChat, Snapshot } from "../engine/snapshot";
import type { ConversationId, UserId } from "../protocol/generated";

/** A snapshot storage that outlives an engine, as IndexedDB outlives a page. */
export class FakeKept implements SnapshotStorage {
  readonly chats = new Map<ConversationId, KeptChat>();
  head: Head | null = null;
  owner: UserId | null = null;

  async read(): Promise<Snapshot | null> {
    const { head, chats } = this;
    return head === null ? null : structuredClone({ head, chats: [...chats.values()] });
  }

  async own(user: UserId): Promise<void> {
    if (this.owner !== null && this.owner !== user) await this.clear(this.owner);
    this.owner = user;
  }

  async write(
    head: Head,
    put: readonly KeptChat[],
    gone: readonly ConversationId[],
  ): Promise<void> {
    if (head.me.id !== this.owner) return;
    this.head = structuredClone(head);
    for (const kept of put) this.chats.set(kept.chat.id, structuredClone(kept));
    for (const id of gone) this.chats.delete(id);
  }

  async clear(user: UserId): Promise<void> {
    if (user !== this.owner) return;
    this.owner = null;
    this.head = null;
    this.chats.clear();
  }
}
