import { heldTo, type Log, noteKnown, place, placeAll, startLog, trim } from "../engine/log";
import { type Chat, UNREAD_MAX } from "../engine/model";
import type { Conversation, Member, Message, Receipt, UserId } from "../protocol/generated";
import { withLastSeen } from "./standing";
import type { State } from "./state";

/** Unread messages up to this many are loaded with the list, so that they are held at once. */
export const CATCH_UP = 100;
/** A log that grows behind the scenes, or is left, keeps this many messages. */
export const KEPT_MESSAGES = 500;
/** How far it may grow beyond that before it is cut, so that not every message copies it. */
const SLACK = 500;

/** Takes in a conversation as the server describes it. */
export function withConversation(state: State, conversation: Conversation): State {
  const held = state.chats.get(conversation.id);
  const members = conversation.members.map((member) =>
    furthest(
      member,
      held?.members.find((known) => known.user.id === member.user.id),
    ),
  );
  const log = withListed(state, conversation, members);
  const chat: Chat = {
    id: conversation.id,
    members,
    last: newer(held?.last ?? log.messages.at(-1) ?? null, conversation.last),
    unread: conversation.unread,
  };
  const people = new Map(state.people);
  for (const member of members) people.set(member.user.id, member.user);
  return recount(
    {
      ...withLastSeen(state, seenIn(conversation)),
      people,
      chats: new Map(state.chats).set(chat.id, chat),
      logs: new Map(state.logs).set(chat.id, log),
    },
    chat.id,
  );
}

function seenIn({ members }: Conversation): [UserId, string][] {
  return members.flatMap(({ user, last_seen }) =>
    last_seen === undefined ? [] : [[user.id, last_seen]],
  );
}

/** The log of a listed conversation: the one held, or a new one that begins near its end. */
function withListed(state: State, listed: Conversation, members: readonly Member[]): Log {
  const { last_seq: end, last } = listed;
  const read = members.find((member) => member.user.id === myId(state))?.read ?? end;
  const base = Math.max(0, Math.min(read, end - 1), end - CATCH_UP);
  const log = noteKnown(state.logs.get(listed.id) ?? startLog(base), end);
  return last === null ? log : place(log, last);
}

/** Places messages in the log of their conversation. */
export function withMessages(state: State, id: string, messages: readonly Message[]): State {
  const first = messages[0];
  if (first === undefined) return state;
  const held = state.logs.get(id) ?? startLog(first.seq - 1);
  const log = bounded(placeAll(held, messages), id === state.open);
  if (log === held) return state;
  const logs = new Map(state.logs).set(id, log);
  const chat = state.chats.get(id);
  if (chat === undefined) return { ...state, logs };
  const last = messages.reduce(newer, chat.last);
  const added = messages.filter(
    (message) => message.seq > (chat.last?.seq ?? 0) && message.sender !== myId(state),
  ).length;
  const unread = Math.min(UNREAD_MAX, chat.unread + added);
  const chats = new Map(state.chats).set(id, { ...chat, last, unread });
  return recount({ ...state, logs, chats }, id);
}

/** How far a member has got; positions only grow. */
export function withReceipt(state: State, receipt: Receipt): State {
  const chat = state.chats.get(receipt.conversation);
  if (chat === undefined) return state;
  const members = chat.members.map((member) =>
    member.user.id === receipt.user ? furthest(member, receipt) : member,
  );
  const unread = receipt.unread ?? chat.unread;
  const chats = new Map(state.chats).set(chat.id, { ...chat, members, unread });
  return recount({ ...state, chats }, chat.id);
}

/** Lets go of most of a log, when its conversation is not in front any more. */
export function withTrimmed(state: State, id: string): State {
  const log = state.logs.get(id);
  const trimmed = log && trim(log, KEPT_MESSAGES);
  return trimmed === undefined || trimmed === log
    ? state
    : { ...state, logs: new Map(state.logs).set(id, trimmed) };
}

/** Keeps a log that grows while it is in front within bounds. */
export function withBounded(state: State, id: string): State {
  const log = state.logs.get(id);
  return log === undefined || bounded(log, false) === log ? state : withTrimmed(state, id);
}

/**
 * Counts the unread from the log where it reaches back far enough: the server's
 * count is older than a message that came after it was made.
 */
function recount(state: State, id: string): State {
  const chat = state.chats.get(id);
  const log = state.logs.get(id);
  const me = myId(state);
  const read = chat?.members.find((member) => member.user.id === me)?.read;
  if (chat === undefined || log === undefined || read === undefined) return state;
  if (log.base > read || heldTo(log) < log.known) return state;
  const unread = Math.min(UNREAD_MAX, unreadAfter(log, read, me));
  if (unread === chat.unread) return state;
  return { ...state, chats: new Map(state.chats).set(id, { ...chat, unread }) };
}

function unreadAfter(log: Log, read: number, me: UserId | null): number {
  return log.messages.slice(read - log.base).filter((message) => message.sender !== me).length;
}

function bounded(log: Log, open: boolean): Log {
  return !open && log.messages.length > KEPT_MESSAGES + SLACK ? trim(log, KEPT_MESSAGES) : log;
}

function furthest(member: Member, other: { delivered: number; read: number } | undefined): Member {
  return {
    user: member.user,
    delivered: Math.max(member.delivered, other?.delivered ?? 0),
    read: Math.max(member.read, other?.read ?? 0),
  };
}

function newer(a: Message | null, b: Message | null): Message | null {
  if (a === null || b === null) return a ?? b;
  return b.seq > a.seq ? b : a;
}

export function myId(state: State): UserId | null {
  return state.stage.kind === "active" ? state.stage.me.id : null;
}
