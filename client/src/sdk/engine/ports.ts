import type { Api } from "../connection/api";
import type { Clock } from "../connection/clock";
import type { OpenWebSocket } from "../connection/socket";
import type { Entry } from "../outbox/outbox";
import type { ClientId, ConversationId, UserId } from "../protocol/generated";
import type { Message } from "../protocol/message";
import type { Snapshot, SnapshotHead, StoredConversation } from "../store/snapshot";
import type { StateStore } from "../store/store";

/** What the engine needs from its environment; that of a browser is in `platform`. */
export interface Ports {
  readonly store: StateStore;
  readonly api: Api;
  readonly storage: OutboxStorage;
  readonly clock: Clock;
  readonly openWebSocket: OpenWebSocket;
  /** A fresh UUIDv7. */
  readonly newId: () => string;
  /** RFC 3339, for what the server has not dated yet. */
  readonly timestamp: () => string;
  /** For programs: a new password has given the session another token. */
  readonly renewed?: (token: string) => void;
  /** Where snapshots are stored; programs that start with nothing need none. */
  readonly snapshots?: SnapshotStorage;
  /**
   * A new message of somebody else; `missed` if it was sent before this page started
   * from a snapshot.
   */
  readonly incoming: (message: Message, missed: boolean) => void;
}

/** Stores the outbox beyond the life of the page. */
export interface OutboxStorage {
  put(user: UserId, entries: readonly Entry[]): Promise<void>;
  delete(clientIds: readonly ClientId[]): Promise<void>;
  /** Takes over what closed tabs left behind, oldest first. */
  adopt(user: UserId): Promise<Entry[]>;
  /** Deletes everything of a user who logs out. */
  clear(user: UserId): Promise<void>;
}

/** Stores the last conversations beyond the life of the page, of one user at a time. */
export interface SnapshotStorage {
  read(): Promise<Snapshot | null>;
  /** Makes this user the owner, whose snapshot is read, and deletes those of others. */
  own(user: UserId): Promise<void>;
  write(
    head: SnapshotHead,
    put: readonly StoredConversation[],
    gone: readonly ConversationId[],
  ): Promise<void>;
  /** Deletes everything of a user who logs out. */
  clear(user: UserId): Promise<void>;
}
