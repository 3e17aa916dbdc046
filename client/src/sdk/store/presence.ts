import type { PresenceDiff, Presence as Snapshot, User, UserId } from "../protocol/generated";

/** Who is online, as far as the server tells this connection. */
export interface Presence {
  readonly version: number;
  /** How many users are online; `null` until the server has told. */
  readonly count: number | null;
  /** Whether `online` holds everyone; otherwise it holds watched users only. */
  readonly complete: boolean;
  readonly online: ReadonlyMap<UserId, User>;
  /** The users in `online` who are away. */
  readonly away: ReadonlySet<UserId>;
}

export const UNKNOWN: Presence = {
  version: 0,
  count: null,
  complete: true,
  online: new Map(),
  away: new Set(),
};

/** A snapshot replaces what was known, whatever its version: the server may be a new one. */
export function fromSnapshot(snapshot: Snapshot): Presence {
  const { version, count, complete, online, away } = snapshot;
  return {
    version,
    count,
    complete,
    online: new Map(online.map((user) => [user.id, user])),
    away: new Set(away),
  };
}

/** Whether a difference is newer than what is known. */
export function isNews(presence: Presence, diff: PresenceDiff): boolean {
  return presence.count !== null && diff.version > presence.version;
}

/** Applies a difference, unless its version is not newer. */
export function applyDiff(presence: Presence, diff: PresenceDiff): Presence {
  if (!isNews(presence, diff)) return presence;
  const { version, count } = diff;
  return { ...presence, version, count, ...withMoves(presence, diff) };
}

/** Reuses collections that have not changed, so that components are not rendered again. */
function withMoves(
  { online, away }: Presence,
  diff: PresenceDiff,
): Pick<Presence, "online" | "away"> {
  const { joins, leaves } = diff;
  const active = [...joins.map((user) => user.id), ...leaves, ...(diff.back ?? [])];
  const gone = active.filter((id) => away.has(id));
  const left = diff.away ?? [];
  return {
    online: joins.length + leaves.length === 0 ? online : moved(online, joins, leaves),
    away:
      gone.length + left.length === 0 ? away : new Set([...away].filter(not(gone)).concat(left)),
  };
}

function moved(
  online: ReadonlyMap<UserId, User>,
  joins: readonly User[],
  leaves: readonly UserId[],
): ReadonlyMap<UserId, User> {
  const next = new Map(online);
  for (const id of leaves) next.delete(id);
  for (const user of joins) next.set(user.id, user);
  return next;
}

function not(ids: readonly UserId[]): (id: UserId) => boolean {
  const excluded = new Set(ids);
  return (id) => !excluded.has(id);
}
