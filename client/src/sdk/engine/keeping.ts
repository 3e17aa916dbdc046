import type { ConversationId, UserId } from "../protocol/generated";
import type { Clock } from "./clock";
import type { SnapshotStorage, StateStore } from "./model";
import { type Head, type Held, headOf, keptOf, type Snapshot, worthKeeping } from "./snapshot";

/** What comes in bursts is kept once, this long after it began. */
export const KEEP_MS = 1_000;

/** For a program that begins afresh each time. */
export const NOTHING_KEPT: SnapshotStorage = {
  read: async () => null,
  own: async () => {},
  write: async () => {},
  clear: async () => {},
};

/**
 * Keeps the last conversations beyond the life of the page, as they change. What
 * storage refuses is lost with the page, and comes from the server again.
 */
export class Keeping {
  private head: Head | null = null;
  private held: ReadonlyMap<ConversationId, Held> = new Map();
  /** Those in storage, as far as this page knows. */
  private stored: ReadonlySet<ConversationId> = new Set();
  private cancelTimer: (() => void) | null = null;

  constructor(
    private readonly store: StateStore,
    private readonly storage: SnapshotStorage,
    private readonly clock: Clock,
  ) {}

  /** What the last page of this browser knew. */
  async read(): Promise<Snapshot | null> {
    const snapshot = await this.storage.read().catch(() => null);
    this.stored = new Set(snapshot?.chats.map(({ chat }) => chat.id));
    return snapshot;
  }

  /** The page has begun with what was read: that is kept already. */
  recalled(): void {
    const state = this.store.get();
    this.head = headOf(state);
    this.held = worthKeeping(state);
  }

  /** The server says who is logged in: from now on nothing of others is kept. */
  async own(user: UserId): Promise<void> {
    await this.storage.own(user).catch(() => {});
  }

  /** The user is not logged in any more. */
  async forget(user: UserId): Promise<void> {
    this.stop();
    // Whoever logs in next clears what is left.
    await this.storage.clear(user).catch(() => {});
  }

  /** To be called after changes of what is kept. */
  changed(): void {
    this.cancelTimer ??= this.clock.after(KEEP_MS, () => this.keep());
  }

  /** Writes what has changed now: the page may be about to end. */
  keep(): void {
    this.stop();
    const state = this.store.get();
    const head = headOf(state);
    if (head === null) return;
    const before = this.before(head);
    const now = worthKeeping(state);
    const changed = [...now].filter(([id, [chat, log]]) => {
      const known = before.get(id);
      return known?.[0] !== chat || known[1] !== log;
    });
    const gone = [...this.stored].filter((id) => !now.has(id));
    if (changed.length + gone.length === 0 && isSame(head, this.head)) return;
    this.head = head;
    this.held = now;
    this.stored = new Set(now.keys());
    const put = changed.map(([, held]) => keptOf(held, head.epoch));
    void this.storage.write(head, put, gone).catch(() => {});
  }

  /** What is kept already of the same user and history. */
  private before({ me, epoch }: Head): ReadonlyMap<ConversationId, Held> {
    return me.id === this.head?.me.id && epoch === this.head.epoch ? this.held : new Map();
  }

  private stop(): void {
    this.cancelTimer?.();
    this.cancelTimer = null;
  }
}

function isSame(a: Head, b: Head | null): boolean {
  return (
    a.me.id === b?.me.id &&
    a.epoch === b.epoch &&
    a.hasPassword === b.hasPassword &&
    a.invisible === b.invisible &&
    a.limits === b.limits
  );
}
