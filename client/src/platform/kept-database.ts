import { type DBSchema, type IDBPDatabase, openDB } from "idb";
import type { Head, KeptChat } from "../sdk/engine/snapshot";
import type { ConversationId, UserId } from "../sdk/protocol/generated";

/** What the service worker must know of the page's user, who may not be there. */
export interface WorkerWishes {
  /** Whose notifications are shown; of others' pushes nothing is. */
  readonly user: UserId;
  /** What a notification says instead of the text, which is hidden; `null`: it shows the text. */
  readonly instead: string | null;
  readonly sound: boolean;
}

interface Schema extends DBSchema {
  chats: { key: [UserId, ConversationId]; value: KeptChat };
  head: { key: UserId; value: Head };
  /** Who was logged in last. */
  owner: { key: 0; value: UserId };
  wishes: { key: 0; value: WorkerWishes };
}

export type KeptDatabase = IDBPDatabase<Schema>;

/** The only key of a store that holds one value. */
export const ONLY = 0;

/**
 * What pages and the service worker keep of the last conversations. Another
 * database than that of the outbox: this one may be thrown away at any time.
 */
export function openKept(): Promise<KeptDatabase> {
  return openDB<Schema>("tidings-kept", 1, {
    upgrade(database) {
      database.createObjectStore("chats");
      database.createObjectStore("owner");
      database.createObjectStore("head");
      database.createObjectStore("wishes");
    },
    // A newer page must not wait for this one.
    blocking: (_current, _blocked, event) => (event.target as IDBDatabase).close(),
  });
}

/** The keys of a user's conversations: an array comes after every text. */
export function allOf(user: UserId): IDBKeyRange {
  return IDBKeyRange.bound([user], [user, []]);
}
