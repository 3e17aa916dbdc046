import type { SnapshotStorage } from "../sdk/engine/model";
import type { Head, KeptChat, Snapshot } from "../sdk/engine/snapshot";
import type { ConversationId, UserId } from "../sdk/protocol/generated";
import { allOf, type KeptDatabase, ONLY, openKept } from "./kept-database";

/** A page does not wait longer for what was kept: the server has it all. */
const READ_MS = 1_000;

/** The last conversations in IndexedDB: those of the owner are seen, others' go. */
export class IndexedDbSnapshots implements SnapshotStorage {
  private readonly database = openKept();

  constructor() {
    // Each use below rejects with the same reason, where it is dealt with.
    this.database.catch(() => {});
  }

  async read(): Promise<Snapshot | null> {
    const late = new Promise<null>((resolve) => setTimeout(() => resolve(null), READ_MS));
    return Promise.race([this.readAll(), late]);
  }

  async own(user: UserId): Promise<void> {
    const { owner, head, chats, done } = await this.change();
    void owner.put(user, ONLY);
    for (const key of await head.getAllKeys()) if (key !== user) void head.delete(key);
    for (const key of await chats.getAllKeys()) if (key[0] !== user) void chats.delete(key);
    await done;
  }

  async write(to: Head, put: readonly KeptChat[], gone: readonly ConversationId[]): Promise<void> {
    const { head, chats, commit, done } = await this.change();
    const user = to.me.id;
    void head.put(to, user);
    for (const kept of put) void chats.put(kept, [user, kept.chat.id]);
    for (const id of gone) void chats.delete([user, id]);
    // At once, without a look at what is there: a page that is left now has written all the same.
    commit();
    await done;
  }

  async clear(user: UserId): Promise<void> {
    const { owner, head, chats, wishes, done } = await this.change();
    void head.delete(user);
    void chats.delete(allOf(user));
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
    const chats = await transaction.objectStore("chats").getAll(allOf(user));
    return head === undefined ? null : { head, chats };
  }

  private async change() {
    const transaction = write(await this.database);
    return {
      owner: transaction.objectStore("owner"),
      head: transaction.objectStore("head"),
      chats: transaction.objectStore("chats"),
      wishes: transaction.objectStore("wishes"),
      commit: () => transaction.commit(),
      done: transaction.done,
    };
  }
}

const STORES = ["chats", "head", "owner", "wishes"] as const;

function write(database: KeptDatabase) {
  return database.transaction(STORES, "readwrite");
}
