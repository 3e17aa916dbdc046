import { draftCount } from "../../platform/drafts";
import { type Leftovers, readLeftovers, writeLeftovers } from "./leftovers";

/** What the log-in page offers to keep or delete; `null` if nothing, or if it was answered. */
export function offeredLeftovers(): { readonly left: Leftovers; readonly drafts: number } | null {
  const left = readLeftovers();
  if (left === null || left.kept) return null;
  const drafts = draftCount(left.user.id);
  return drafts + left.unsent > 0 ? { left, drafts } : null;
}

export function keepLeftovers(left: Leftovers): void {
  writeLeftovers({ ...left, kept: true });
}
