import type { Chat } from "../sdk/engine/model";
import type { ConversationId, User, UserId } from "../sdk/protocol/generated";
import { partnerOf } from "../sdk/store/selectors";

/** Somebody to go to. */
export interface Candidate {
  readonly user: User;
  /** The conversation with them, when it is known. */
  readonly conversation: ConversationId | null;
  /** When something was last written in it, RFC 3339; empty: never. */
  readonly at: string;
  readonly unread: number;
  readonly online: boolean;
}

/** How well a name fits: 0 begins with what is looked for, 1 has a word that does, 2 has it somewhere. */
export type Fit = 0 | 1 | 2;

/** `null`: it does not. Case, accents and forms of letters make no difference. */
export function fitOf(name: string, search: string): Fit | null {
  const [there, wanted] = [folded(name), folded(search)];
  const place = there.indexOf(wanted);
  if (place <= 0) return place === 0 ? 0 : null;
  return words(there).some((word) => word.startsWith(wanted)) ? 1 : 2;
}

function folded(text: string): string {
  return text
    .normalize("NFKD")
    .replace(/\p{Mn}/gu, "")
    .trim()
    .toLowerCase();
}

/** A text from each of its words to its end. */
function words(text: string): string[] {
  return [...text.matchAll(/[\p{L}\p{N}]+/gu)].map((word) => text.slice(word.index));
}

/**
 * Everybody to choose from: partners in conversations, who is online, and who
 * else was found; each once, and not oneself.
 */
export function candidatesOf(
  chats: Iterable<Chat>,
  online: ReadonlyMap<UserId, User>,
  found: readonly User[],
  me: UserId,
): Candidate[] {
  const candidates = new Map<UserId, Candidate>();
  for (const chat of chats) {
    const user = partnerOf(chat, me)?.user;
    if (user === undefined) continue;
    const { id: conversation, last, unread } = chat;
    const here = online.has(user.id);
    candidates.set(user.id, { user, conversation, at: last?.at ?? "", unread, online: here });
  }
  for (const user of [...online.values(), ...found]) {
    if (candidates.has(user.id)) continue;
    const here = online.has(user.id);
    candidates.set(user.id, { user, conversation: null, at: "", unread: 0, online: here });
  }
  candidates.delete(me);
  return [...candidates.values()];
}

/**
 * Those that fit, the best first: how well the name fits, then how recently one
 * talked with them, then who is here, then by name.
 */
export function ranked(candidates: readonly Candidate[], search: string): Candidate[] {
  return candidates
    .map((candidate) => ({ candidate, fit: fitOf(candidate.user.name, search) }))
    .filter((each): each is { candidate: Candidate; fit: Fit } => each.fit !== null)
    .sort((a, b) => a.fit - b.fit || byActivity(a.candidate, b.candidate))
    .map(({ candidate }) => candidate);
}

function byActivity(a: Candidate, b: Candidate): number {
  if (a.at !== b.at) return a.at < b.at ? 1 : -1;
  if (a.online !== b.online) return a.online ? -1 : 1;
  return a.user.name.localeCompare(b.user.name);
}
