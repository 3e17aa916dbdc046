import type { Clock } from "../connection/clock";
import type { ConversationId, UserId } from "../protocol/generated";
import {
  type ConversationWithLog,
  conversationsToSave,
  type Snapshot,
  type SnapshotHead,
  snapshotHeadOf,
  storedFrom,
} from "../store/snapshot";
import type { StateStore } from "../store/store";
import type { SnapshotStorage } from "./ports";

/** Changes that come in bursts are saved once, this long after the first. */
export const SAVE_MS = 1_000;

/** For programs that start with nothing each time. */
export const NO_SNAPSHOTS: SnapshotStorage = {
  read: async () => null,
  own: async () => {},
  write: async () => {},
  clear: async () => {},
};

/**
 * Saves the last conversations as they change, for the next page. If storage refuses
 * them, the next page loads them from the server.
 */
export class SnapshotSaver {
  private head: SnapshotHead | null = null;
  private held: ReadonlyMap<ConversationId, ConversationWithLog> = new Map();
  /** The ids in storage, as far as this page knows. */
  private stored: ReadonlySet<ConversationId> = new Set();
  private cancelTimer: (() => void) | null = null;

  constructor(
    private readonly store: StateStore,
    private readonly storage: SnapshotStorage,
    private readonly clock: Clock,
  ) {}

  /** What the last page of this browser saved. */
  async read(): Promise<Snapshot | null> {
    const snapshot = await this.storage.read().catch(() => null);
    this.stored = new Set(snapshot?.conversations.map(({ chat }) => chat.id));
    return snapshot;
  }

  /** The page has started from what was read, which is saved already. */
  restored(): void {
    const state = this.store.get();
    this.head = snapshotHeadOf(state);
    this.held = conversationsToSave(state);
  }

  /** The server says who is logged in: deletes what was saved of other users. */
  async own(user: UserId): Promise<void> {
    await this.storage.own(user).catch(() => {});
  }

  /** Deletes what was saved of a user who is logged out. */
  async forget(user: UserId): Promise<void> {
    this.stop();
    // If storage refuses this, the next log-in clears it.
    await this.storage.clear(user).catch(() => {});
  }

  /** To be called after every change of the state. */
  changed(): void {
    this.cancelTimer ??= this.clock.after(SAVE_MS, () => this.save());
  }

  /** Saves what has changed at once: the page may be about to close. */
  save(): void {
    this.stop();
    const state = this.store.get();
    const head = snapshotHeadOf(state);
    if (head === null) return;
    const before = this.savedBefore(head);
    const now = conversationsToSave(state);
    const changed = [...now].filter(([id, [conversation, log]]) => {
      const known = before.get(id);
      return known?.[0] !== conversation || known[1] !== log;
    });
    const gone = [...this.stored].filter((id) => !now.has(id));
    if (changed.length + gone.length === 0 && isSame(head, this.head)) return;
    this.head = head;
    this.held = now;
    this.stored = new Set(now.keys());
    const put = changed.map(([, held]) => storedFrom(held, head.epoch));
    void this.storage.write(head, put, gone).catch(() => {});
  }

  /** What is saved already, of the same user and epoch. */
  private savedBefore({
    me,
    epoch,
  }: SnapshotHead): ReadonlyMap<ConversationId, ConversationWithLog> {
    return me.id === this.head?.me.id && epoch === this.head.epoch ? this.held : new Map();
  }

  private stop(): void {
    this.cancelTimer?.();
    this.cancelTimer = null;
  }
}

function isSame(a: SnapshotHead, b: SnapshotHead | null): boolean {
  return (
    a.me.id === b?.me.id &&
    a.epoch === b.epoch &&
    a.hasPassword === b.hasPassword &&
    a.invisible === b.invisible &&
    a.limits === b.limits
  );
}
