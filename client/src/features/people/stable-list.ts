import type { User, UserId } from "../../sdk/protocol/generated";

/**
 * The order of a list while it is hovered: users who were shown stay in place, even if
 * they went offline, and new ones come at the end.
 */
export function stableList(shown: readonly User[], now: readonly User[]): readonly User[] {
  const known = new Set<UserId>(shown.map((user) => user.id));
  const added = now.filter((user) => !known.has(user.id));
  return added.length === 0 ? shown : [...shown, ...added];
}
