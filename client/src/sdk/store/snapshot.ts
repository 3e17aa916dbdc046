import type { ConversationId, Limits, User } from "../protocol/generated";
import { type Log, startLog, trim } from "../timeline/log";
import type { ConversationSummary, State } from "./state";

/** The most conversations saved: as many as the first page of the list has. */
export const SAVED_CONVERSATIONS = 50;
/** The most messages saved of each: the last ones, with all that count as unread. */
export const SAVED_MESSAGES = 150;
/** The most characters of messages saved in all; the least active conversations are left out first. */
export const SAVED_CHARS = 1_000_000;

/** Whose conversations are saved, and in which epoch. The field names are stored. */
export interface SnapshotHead {
  readonly me: User;
  readonly hasPassword: boolean;
  readonly invisible: boolean;
  readonly epoch: string;
  readonly limits: Limits;
}

/** The end of one conversation, as far as its log was contiguous. The field names are stored. */
export interface StoredConversation {
  readonly epoch: string;
  readonly chat: ConversationSummary;
  readonly log: StoredLog;
}

/** The run of a log, and its pins. */
type StoredLog = Pick<Log, "base" | "end" | "endAt" | "messages" | "pins">;

/** What a page starts from before the server has answered. */
export interface Snapshot {
  readonly head: SnapshotHead;
  readonly conversations: readonly StoredConversation[];
}

/** A conversation and its log; the same objects while neither has changed. */
export type ConversationWithLog = readonly [ConversationSummary, Log];

/** Returns `null` while there is nothing to save. */
export function snapshotHeadOf({ auth, epoch, limits }: State): SnapshotHead | null {
  if (auth.kind !== "active" || epoch === null) return null;
  const { me, hasPassword, invisible } = auth;
  return { me, hasPassword, invisible, epoch, limits };
}

/** The conversations to save: the most recently active ones, within the bounds. */
export function conversationsToSave({
  conversations,
  logs,
}: State): ReadonlyMap<ConversationId, ConversationWithLog> {
  const recent = [...conversations.values()]
    .filter((conversation) => conversation.last !== null && logs.has(conversation.id))
    .sort((a, b) => (b.last?.at ?? "").localeCompare(a.last?.at ?? ""))
    .slice(0, SAVED_CONVERSATIONS);
  const kept = new Map<ConversationId, ConversationWithLog>();
  let chars = 0;
  for (const conversation of recent) {
    const log = logs.get(conversation.id);
    if (log === undefined) continue;
    chars += log.messages.slice(-SAVED_MESSAGES).reduce((sum, { body }) => sum + body.length, 0);
    if (chars > SAVED_CHARS) break;
    kept.set(conversation.id, [conversation, log]);
  }
  return kept;
}

export function storedFrom(
  [conversation, log]: ConversationWithLog,
  epoch: string,
): StoredConversation {
  // A detached run would look like the end of the conversation.
  const kept = log.detached ? startLog(log.known) : trim(log, SAVED_MESSAGES);
  const { base, end, endAt, messages, pins } = kept;
  return { epoch, chat: conversation, log: { base, end, endAt, messages, pins } };
}

/** The state that a snapshot restores; conversations of another epoch are left out. */
export function restored(state: State, { head, conversations }: Snapshot): State {
  const { me, hasPassword, invisible, epoch, limits } = head;
  const fitting = conversations.filter((kept) => kept.epoch === epoch);
  return {
    ...state,
    auth: { kind: "active", me, hasPassword, invisible },
    epoch,
    limits,
    people: new Map(
      fitting.flatMap(({ chat }) => chat.members).map(({ user }) => [user.id, user] as const),
    ).set(me.id, me),
    conversations: new Map(fitting.map(({ chat }) => [chat.id, chat])),
    logs: new Map(fitting.map(({ chat, log }) => [chat.id, logOf(log)])),
  };
}

/** Pins that were not complete up to the end are asked for again: its numbers count as unseen. */
function logOf(stored: StoredLog): Log {
  return { ...startLog(stored.end), ...stored };
}
