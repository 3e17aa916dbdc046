import type { ConversationId, Limits, Message, User } from "../protocol/generated";
import type { Log } from "./log";
import type { Chat, EngineState } from "./model";

/** The most conversations kept: as many as the first page of the list has. */
export const KEPT_CHATS = 50;
/** The most messages kept of each: its last ones, with all that count as unread. */
export const KEPT_MESSAGES = 150;
/** The most characters kept in all, of messages; the conversations that rested longest go first. */
export const KEPT_CHARS = 1_000_000;

/** Whose conversations are kept, and of which history they are. */
export interface Head {
  readonly me: User;
  readonly hasPassword: boolean;
  readonly invisible: boolean;
  readonly epoch: string;
  readonly limits: Limits;
}

/** The end of one conversation, as far as it was held without a gap. */
export interface KeptChat {
  readonly epoch: string;
  readonly chat: Chat;
  /** The messages are numbered `base + 1`, `base + 2`, … */
  readonly base: number;
  readonly messages: readonly Message[];
}

/** What a page begins with before the server has answered. */
export interface Snapshot {
  readonly head: Head;
  readonly chats: readonly KeptChat[];
}

/** A conversation and its log: the same objects for as long as nothing changes in them. */
export type Held = readonly [Chat, Log];

/** `null` while there is nothing worth keeping. */
export function headOf({ stage, epoch, limits }: EngineState): Head | null {
  if (stage.kind !== "active" || epoch === null) return null;
  const { me, hasPassword, invisible } = stage;
  return { me, hasPassword, invisible, epoch, limits };
}

/** Those to keep: the most recently active ones, within the bounds. */
export function worthKeeping({ chats, logs }: EngineState): ReadonlyMap<ConversationId, Held> {
  const recent = [...chats.values()]
    .filter((chat) => chat.last !== null && logs.has(chat.id))
    .sort((a, b) => (b.last?.at ?? "").localeCompare(a.last?.at ?? ""))
    .slice(0, KEPT_CHATS);
  const kept = new Map<ConversationId, Held>();
  let chars = 0;
  for (const chat of recent) {
    const log = logs.get(chat.id);
    if (log === undefined) continue;
    chars += tail(log).reduce((sum, { body }) => sum + body.length, 0);
    if (chars > KEPT_CHARS) break;
    kept.set(chat.id, [chat, log]);
  }
  return kept;
}

export function keptOf([chat, log]: Held, epoch: string): KeptChat {
  const messages = tail(log);
  return { epoch, chat, base: log.base + log.messages.length - messages.length, messages };
}

/** Begins with what was kept; what was kept of another history is left out. */
export function restored<State extends EngineState>(
  state: State,
  { head, chats }: Snapshot,
): State {
  const { me, hasPassword, invisible, epoch, limits } = head;
  const fitting = chats.filter((kept) => kept.epoch === epoch);
  return {
    ...state,
    stage: { kind: "active", me, hasPassword, invisible },
    epoch,
    limits,
    people: new Map(
      fitting.flatMap(({ chat }) => chat.members).map(({ user }) => [user.id, user] as const),
    ).set(me.id, me),
    chats: new Map(fitting.map(({ chat }) => [chat.id, chat])),
    logs: new Map(fitting.map((kept) => [kept.chat.id, logOf(kept)])),
  };
}

function logOf({ base, messages }: KeptChat): Log {
  return { base, messages, aside: new Map(), known: base + messages.length };
}

function tail(log: Log): readonly Message[] {
  return log.messages.length > KEPT_MESSAGES ? log.messages.slice(-KEPT_MESSAGES) : log.messages;
}
