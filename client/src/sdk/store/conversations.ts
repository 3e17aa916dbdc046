import {
  type Conversation,
  type History,
  type Member,
  type Receipt,
  UNREAD_MAX,
  type UserId,
} from "../protocol/generated";
import { isMessage, type Message, type Numbered } from "../protocol/message";
import {
  cover,
  hasGap,
  type Log,
  messagesAfter,
  notePins,
  placeAll,
  restartLog,
  startLog,
  trim,
} from "../timeline/log";
import { withLastSeen } from "./presence-updates";
import type { ConversationSummary, State } from "./state";

/** Up to this many unread messages are loaded with the list. */
const CATCH_UP = 100;
/** How many messages the log of a closed conversation keeps. */
export const KEPT_MESSAGES = 500;
/** How far a log may grow beyond that before it is cut, so that not every message copies it. */
const SLACK = 500;

/** Adds or updates a conversation as the server describes it. */
export function withConversation(state: State, conversation: Conversation): State {
  const held = state.conversations.get(conversation.id);
  const members = conversation.members.map((member) =>
    furthest(
      member,
      held?.members.find((known) => known.user.id === member.user.id),
    ),
  );
  const log = withListed(state, conversation, members);
  const summary: ConversationSummary = {
    id: conversation.id,
    members,
    last: newer(held?.last ?? log.messages.at(-1) ?? null, lastOf(conversation)),
    unread: conversation.unread,
  };
  const people = new Map(state.people);
  for (const member of members) people.set(member.user.id, member.user);
  return recount(
    {
      ...withLastSeen(state, seenIn(conversation)),
      people,
      conversations: new Map(state.conversations).set(summary.id, summary),
      logs: new Map(state.logs).set(summary.id, log),
      missing: state.missing === summary.id ? null : state.missing,
    },
    summary.id,
  );
}

function seenIn({ members }: Conversation): [UserId, string][] {
  return members.flatMap(({ user, last_seen }) =>
    last_seen === undefined ? [] : [[user.id, last_seen]],
  );
}

/** The log of a listed conversation: the existing one, or a new one that begins near the end. */
function withListed(state: State, listed: Conversation, members: readonly Member[]): Log {
  const { last_seq, last_at, last, pins } = listed;
  // What follows the last message are changes.
  const from = last?.seq ?? 1;
  const read = members.find((member) => member.user.id === myId(state))?.read ?? from;
  const base = Math.max(0, Math.min(read, from - 1), from - CATCH_UP);
  const log = notePins(state.logs.get(listed.id) ?? startLog(base), pins, last_seq);
  return cover(log, {
    messages: last === null ? [] : [last],
    from,
    to: last_seq,
    last_seq,
    last_at,
  });
}

function lastOf({ last }: Conversation): Message | null {
  return last !== null && isMessage(last) ? last : null;
}

/** Adds an event to the log of its conversation. */
export function withEvent(state: State, event: Numbered): State {
  const { conversation, seq } = event;
  const log = placeAll(state.logs.get(conversation) ?? startLog(seq - 1), [event]);
  return withLog(state, conversation, log, isMessage(event) ? [event] : []);
}

/** Adds a page of history to the log of a conversation. */
export function withHistory(state: State, id: string, page: History): State {
  const log = cover(state.logs.get(id) ?? startLog(Math.max(0, page.from - 1)), page);
  return withLog(state, id, log, page.messages.filter(isMessage));
}

/** Begins the log of a conversation again with a page of history. */
export function withRestart(state: State, id: string, page: History): State {
  const log = state.logs.get(id);
  return log === undefined
    ? state
    : withLog(state, id, restartLog(log, page), page.messages.filter(isMessage));
}

/** Replaces the log of a conversation after these messages were added to it. */
function withLog(state: State, id: string, grown: Log, messages: readonly Message[]): State {
  const log = bounded(grown, id === state.open);
  if (log === state.logs.get(id)) return state;
  const logs = new Map(state.logs).set(id, log);
  const conversation = state.conversations.get(id);
  if (conversation === undefined) return { ...state, logs };
  const last = messages.reduce(newer, conversation.last);
  const added = messages.filter(
    (message) => message.seq > (conversation.last?.seq ?? 0) && message.sender !== myId(state),
  ).length;
  const unread = Math.min(UNREAD_MAX, conversation.unread + added);
  const conversations = new Map(state.conversations).set(id, { ...conversation, last, unread });
  return recount({ ...state, logs, conversations }, id);
}

/** Updates how far a member has received and read; positions only grow. */
export function withReceipt(state: State, receipt: Receipt): State {
  const conversation = state.conversations.get(receipt.conversation);
  if (conversation === undefined) return state;
  const members = conversation.members.map((member) =>
    member.user.id === receipt.user ? furthest(member, receipt) : member,
  );
  const unread = receipt.unread ?? conversation.unread;
  const conversations = new Map(state.conversations).set(conversation.id, {
    ...conversation,
    members,
    unread,
  });
  return recount({ ...state, conversations }, conversation.id);
}

/** Drops most of a log when its conversation is closed. */
export function withTrimmed(state: State, id: string): State {
  const log = state.logs.get(id);
  const trimmed = log && trim(log, KEPT_MESSAGES);
  return trimmed === undefined || trimmed === log
    ? state
    : { ...state, logs: new Map(state.logs).set(id, trimmed) };
}

/** Bounds a log that grows while its conversation is open. */
export function withBounded(state: State, id: string): State {
  const log = state.logs.get(id);
  return log === undefined || bounded(log, false) === log ? state : withTrimmed(state, id);
}

/**
 * Counts the unread messages from the log if it reaches back far enough: the server's
 * count does not include messages that came after it was made.
 */
function recount(state: State, id: string): State {
  const conversation = state.conversations.get(id);
  const log = state.logs.get(id);
  const me = myId(state);
  const read = conversation?.members.find((member) => member.user.id === me)?.read;
  if (conversation === undefined || log === undefined || read === undefined) return state;
  if (log.base > read || hasGap(log)) return state;
  const unreadHere = messagesAfter(log, read).filter(({ sender }) => sender !== me);
  const unread = Math.min(UNREAD_MAX, unreadHere.length);
  if (unread === conversation.unread) return state;
  return {
    ...state,
    conversations: new Map(state.conversations).set(id, { ...conversation, unread }),
  };
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
  return state.auth.kind === "active" ? state.auth.me.id : null;
}
