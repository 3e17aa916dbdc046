import type { SnapshotStorage } from "../sdk/engine/ports";
import type { ConversationId, UserId } from "../sdk/protocol/generated";
import type { Snapshot, SnapshotHead, StoredConversation } from "../sdk/store/snapshot";
import { allOf, ONLY, openSnapshots, type SnapshotDatabase } from "./snapshot-database";

/** A page waits no longer than this for the snapshot: the server has everything. */
const READ_MS = 1_000;

/** The last conversations in IndexedDB, of the owner only. */
export class IndexedDbSnapshots implements SnapshotStorage {
  private readonly database = openSnapshots();

  constructor() {
    // Each use below rejects with the same reason, and handles it.
    this.database.catch(() => {});
  }

  async read(): Promise<Snapshot | null> {
    const late = new Promise<null>((resolve) => setTimeout(() => resolve(null), READ_MS));
    return Promise.race([this.readAll(), late]);
  }

  async own(user: UserId): Promise<void> {
    const { owner, head, conversations, done } = await this.change();
    void owner.put(user, ONLY);
    for (const key of await head.getAllKeys()) if (key !== user) void head.delete(key);
    for (const key of await conversations.getAllKeys())
      if (key[0] !== user) void conversations.delete(key);
    await done;
  }

  async write(
    to: SnapshotHead,
    put: readonly StoredConversation[],
    gone: readonly ConversationId[],
  ): Promise<void> {
    const { head, conversations, commit, done } = await this.change();
    const user = to.me.id;
    void head.put(to, user);
    for (const kept of put) void conversations.put(kept, [user, kept.chat.id]);
    for (const id of gone) void conversations.delete([user, id]);
    // At once, without a look at what is there: a page that is left now has written all the same.
    commit();
    await done;
  }

  async clear(user: UserId): Promise<void> {
    const { owner, head, conversations, wishes, done } = await this.change();
    void head.delete(user);
    void conversations.delete(allOf(user));
    if ((await owner.get(ONLY)) === user) {
      void owner.clear();
      void wishes.clear();
    }
    await done;
  }

  private async readAll(): Promise<Snapshot | null> {
    const transaction = (await this.database).transaction(STORES);
    const user = await transaction.objectStore("owner").get(ONLY);
    if (user === undefined) return null;
    const head = await transaction.objectStore("head").get(user);
    const conversations = await transaction.objectStore("chats").getAll(allOf(user));
    return head === undefined ? null : { head, conversations };
  }

  private async change() {
    const transaction = write(await this.database);
    return {
      owner: transaction.objectStore("owner"),
      head: transaction.objectStore("head"),
      conversations: transaction.objectStore("chats"),
      wishes: transaction.objectStore("wishes"),
      commit: () => transaction.commit(),
      done: transaction.done,
    };
  }
}

const STORES = ["chats", "head", "owner", "wishes"] as const;

function write(database: SnapshotDatabase) {
  return database.transaction(STORES, "readwrite");
}
