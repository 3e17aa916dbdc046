import { type DBSchema, type IDBPDatabase, openDB } from "idb";
import type { ConversationId, UserId } from "../sdk/protocol/generated";
import type { SnapshotHead, StoredConversation } from "../sdk/store/snapshot";

/** What the service worker must know about the user while no page is open. The field names are stored. */
export interface NotificationPreferences {
  /** The user whose notifications are shown; pushes for others are ignored. */
  readonly user: UserId;
  /** Shown instead of the message text, if that is hidden; `null`: the text is shown. */
  readonly instead: string | null;
  readonly sound: boolean;
}

/** Existing databases have stores of these names: to rename one takes a new version. */
interface Schema extends DBSchema {
  chats: { key: [UserId, ConversationId]; value: StoredConversation };
  head: { key: UserId; value: SnapshotHead };
  /** Who was logged in last. */
  owner: { key: 0; value: UserId };
  wishes: { key: 0; value: NotificationPreferences };
}

export type SnapshotDatabase = IDBPDatabase<Schema>;

/** To be raised whenever conversations are stored in another way. */
const VERSION = 2;

/** The only key of a store that holds one value. */
export const ONLY = 0;

/**
 * The last conversations, for pages and the service worker. This is a separate
 * database from the outbox's: it may be deleted at any time.
 */
export async function openSnapshots(): Promise<SnapshotDatabase> {
  // Where storage is switched off, opening may throw: here it only rejects.
  return openDB<Schema>("tidings-kept", VERSION, {
    upgrade(database, before, _version, transaction) {
      if (before === 0) {
        database.createObjectStore("chats");
        database.createObjectStore("owner");
        database.createObjectStore("head");
        database.createObjectStore("wishes");
        return;
      }
      // The server has the conversations; whose notifications are shown stays.
      void transaction.objectStore("chats").clear();
    },
    // A newer page must not wait for this one.
    blocking: (_current, _blocked, event) => (event.target as IDBDatabase).close(),
  });
}

/** The keys of a user's conversations: arrays sort after all strings. */
export function allOf(user: UserId): IDBKeyRange {
  return IDBKeyRange.bound([user], [user, []]);
}
