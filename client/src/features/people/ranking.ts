import type { ConversationId, Person, User, UserId } from "../../sdk/protocol/generated";
import type { Presence } from "../../sdk/store/presence";
import { partnerOf } from "../../sdk/store/selectors";
import type { ConversationSummary } from "../../sdk/store/state";
import { type Fit, fitOf } from "./folding";

/** A user whose conversation can be opened. */
export interface Candidate {
  readonly user: User;
  /** The conversation with them, when it is known. */
  readonly conversation: ConversationId | null;
  /** When something was last written in it, RFC 3339; empty: never. */
  readonly at: string;
  readonly unread: number;
  readonly online: boolean;
}

/**
 * Everybody to choose from, each once: partners in conversations, users online,
 * other users found, and oneself, for notes. If this page does not know
 * everyone's presence, users count as online who were when they were found.
 */
export function candidatesOf(
  conversations: Iterable<ConversationSummary>,
  { online, complete }: Pick<Presence, "online" | "complete">,
  found: readonly Person[],
  me: User,
): Candidate[] {
  const told = new Set(complete ? [] : found.filter((one) => one.online).map(({ id }) => id));
  const candidates = new Map<UserId, Candidate>();
  const isOnline = (user: User) => online.has(user.id) || told.has(user.id);
  for (const conversation of conversations) {
    const user = partnerOf(conversation, me.id)?.user;
    if (user === undefined) continue;
    const { id, last, unread } = conversation;
    const at = last?.at ?? "";
    candidates.set(user.id, { user, conversation: id, at, unread, online: isOnline(user) });
  }
  for (const { id, name } of [...online.values(), ...found, me]) {
    if (candidates.has(id)) continue;
    const user = { id, name };
    candidates.set(id, { user, conversation: null, at: "", unread: 0, online: isOnline(user) });
  }
  return [...candidates.values()];
}

/**
 * The candidates that match, the best first: by how well the name matches, then by how
 * recent the conversation is, then by presence, then by name. `titled` returns another
 * name of a user, as oneself is "Notes".
 */
export function ranked(
  candidates: readonly Candidate[],
  search: string,
  titled: (user: User) => string = ({ name }) => name,
): Candidate[] {
  return candidates
    .map((candidate) => ({ candidate, fit: bestFit(candidate.user, search, titled) }))
    .filter((each): each is { candidate: Candidate; fit: Fit } => each.fit !== null)
    .sort((a, b) => a.fit - b.fit || byActivity(a.candidate, b.candidate))
    .map(({ candidate }) => candidate);
}

function bestFit(user: User, search: string, titled: (user: User) => string): Fit | null {
  return fitOf(user.name, search) ?? fitOf(titled(user), search);
}

function byActivity(a: Candidate, b: Candidate): number {
  if (a.at !== b.at) return a.at < b.at ? 1 : -1;
  if (a.online !== b.online) return a.online ? -1 : 1;
  return a.user.name.localeCompare(b.user.name);
}
