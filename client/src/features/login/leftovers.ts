import { clearDrafts } from "../../platform/drafts";
import { guarded, read, write } from "../../platform/local-storage";
import { isMessageEntry } from "../../sdk/outbox/outbox";
import type { User } from "../../sdk/protocol/generated";
import type { Store } from "../../sdk/store/store";

/** The key in `localStorage`, which must not change. */
const KEY = "tidings.left";

/** A user whose session was ended elsewhere, and what this browser still holds of theirs. */
export interface Leftovers {
  readonly user: User;
  /** Messages that were not sent. */
  readonly unsent: number;
  /** Whether somebody chose to keep them until this user logs in again. */
  readonly kept: boolean;
}

/** The leftovers of the last user; `null` if there are none, or they were dealt with. */
export function readLeftovers(): Leftovers | null {
  const stored = read(KEY);
  const left =
    stored === null ? null : (guarded(() => JSON.parse(stored)) as Leftovers | undefined);
  return typeof left?.user?.id === "string" && typeof left.user.name === "string" ? left : null;
}

export function writeLeftovers(left: Leftovers | null): void {
  write(KEY, left === null ? null : JSON.stringify(left));
}

/** `discardUnsent` clears the outbox of a user. */
export function discardLeftovers(left: Leftovers, discardUnsent: (user: string) => void): void {
  clearDrafts(left.user.id);
  discardUnsent(left.user.id);
  writeLeftovers(null);
}

/**
 * Remembers the user whose session was ended elsewhere. Their leftovers are restored when
 * they log in again, and deleted as soon as somebody else does.
 */
export function followLeftovers(store: Store, discardUnsent: (user: string) => void): void {
  let before = store.get();
  store.subscribe(() => {
    const after = store.get();
    if (before.auth.kind === "active" && after.auth.kind === "anonymous") {
      const { me } = before.auth;
      const unsent = before.outbox.entries.filter(isMessageEntry).length;
      writeLeftovers(after.auth.loggedOut ? { user: me, unsent, kept: false } : null);
    }
    if (after.auth !== before.auth && after.auth.kind === "active") {
      const left = readLeftovers();
      if (left !== null && left.user.id !== after.auth.me.id) discardLeftovers(left, discardUnsent);
      else if (left !== null) writeLeftovers(null);
    }
    before = after;
  });
}
