import type { Message } from "../protocol/generated";
import type { Api } from "./api";
import type { Clock } from "./clock";
import type { OutboxStorage, SnapshotStorage, StateStore } from "./model";
import type { OpenWebSocket } from "./socket";

/** What the engine needs from the world; a browser's are in `platform`. */
export interface Ports {
  readonly store: StateStore;
  readonly api: Api;
  readonly storage: OutboxStorage;
  readonly clock: Clock;
  readonly openWebSocket: OpenWebSocket;
  /** A fresh UUIDv7. */
  readonly newId: () => string;
  /** RFC 3339, for what is shown before the server says when. */
  readonly timestamp: () => string;
  /** What outlives the page besides the outbox; a program that begins afresh needs none. */
  readonly kept?: SnapshotStorage;
  /**
   * A message of somebody else that is news to this page; `missed`: it came before
   * the page did, which began with what an earlier one kept.
   */
  readonly incoming: (message: Message, missed: boolean) => void;
}
