import type { PresenceDiff, Presence as Snapshot, User, UserId } from "../protocol/generated";

/** Who is here, as far as this connection is told. */
export interface Presence {
  readonly version: number;
  /** Everyone online; `null`: the server has not told yet, which is not nobody. */
  readonly count: number | null;
  /** Whether `online` is everyone; otherwise it holds those watched. */
  readonly complete: boolean;
  readonly online: ReadonlyMap<UserId, User>;
}

export const UNKNOWN: Presence = { version: 0, count: null, complete: true, online: new Map() };

/** A snapshot replaces what was known, whatever its version: the server may be a new one. */
export function fromSnapshot(snapshot: Snapshot): Presence {
  const { version, count, complete } = snapshot;
  return { version, count, complete, online: new Map(snapshot.online.map((u) => [u.id, u])) };
}

/** Applies a difference to what is known; one whose version is not above the one held is old. */
export function applyDiff(presence: Presence, diff: PresenceDiff): Presence {
  if (presence.count === null || diff.version <= presence.version) return presence;
  const { version, count } = diff;
  if (diff.joins.length === 0 && diff.leaves.length === 0) return { ...presence, version, count };
  const online = new Map(presence.online);
  for (const id of diff.leaves) online.delete(id);
  for (const user of diff.joins) online.set(user.id, user);
  return { ...presence, version, count, online };
}
