import { hasGap, type Log } from "../engine/log";
import { type Chat, UNREAD_MAX } from "../engine/model";
import type { Entry } from "../engine/outbox";
import type { Presence } from "../engine/presence";
import type { ConversationId, Member, User, UserId } from "../protocol/generated";
import type { Line } from "./lines";
import type { State } from "./state";

export const selectMe = (state: State): User | null =>
  state.stage.kind === "active" ? state.stage.me : null;

/** Whether the user has chosen to be invisible to others. */
export const selectInvisible = (state: State): boolean =>
  state.stage.kind === "active" && state.stage.invisible;

/** How somebody stands; `unknown`: the server has not told yet. */
export type Status = "online" | "away" | "offline" | "unknown";

export function statusOf(presence: Presence, user: UserId): Status {
  if (presence.online.has(user)) return presence.away.has(user) ? "away" : "online";
  return presence.count === null ? "unknown" : "offline";
}

/** When somebody who is offline was here last (RFC 3339); `null`: never, or that is not known. */
export function lastSeenOf(state: State, user: UserId): string | null {
  return statusOf(state.presence, user) === "offline" ? (state.lastSeen.get(user) ?? null) : null;
}

/** All unread messages of the conversations that are listed. */
export function selectUnread(state: State): number {
  let unread = 0;
  for (const chat of state.chats.values()) unread += chat.unread;
  return unread;
}

/** One row of the list of conversations. */
export interface ChatRow {
  readonly chat: Chat;
  /** What was written in it last, and is not stored yet. */
  readonly entry: Entry | undefined;
}

/**
 * The conversations that somebody has written in, most recent first. What is on
 * its way is newer than what is stored; what was refused is nobody's activity.
 */
export function chatRows(
  chats: ReadonlyMap<ConversationId, Chat>,
  entries: readonly Entry[],
): ChatRow[] {
  const newest = new Map(entries.map((entry) => [entry.conversation, entry]));
  const underWay = entries.filter((entry) => entry.state !== "failed");
  const places = new Map(underWay.map((entry, place) => [entry.conversation, place]));
  const place = ({ chat }: ChatRow) => places.get(chat.id) ?? -1;
  return [...chats.values()]
    .map((chat) => ({ chat, entry: newest.get(chat.id) }))
    .filter(({ chat, entry }) => chat.last !== null || entry !== undefined)
    .sort((a, b) => place(b) - place(a) || byActivity(a.chat, b.chat));
}

function byActivity(a: Chat, b: Chat): number {
  const [left, right] = [a.last?.at ?? "", b.last?.at ?? ""];
  return left === right ? (a.id < b.id ? 1 : -1) : left < right ? 1 : -1;
}

/** How many messages are loaded at most so that a conversation opens where the unread ones begin. */
export const BACK_MAX = 1_000;

/** Whether the log is held to its end, and as far back as a conversation opens. */
export function reachesUnread(chat: Chat, log: Log, me: UserId): boolean {
  if (hasGap(log)) return false;
  return chat.unread === 0 || log.base <= readOf(chat, me) || log.messages.length >= BACK_MAX;
}

/** The number of the first message held that is new to the user; `null`: nothing is. */
export function firstUnread(chat: Chat, log: Log, me: UserId): number | null {
  const after = Math.max(0, readOf(chat, me) - log.base);
  return log.messages.slice(after).find((message) => message.sender !== me)?.seq ?? null;
}

function readOf(chat: Chat, me: UserId): number {
  return chat.members.find((member) => member.user.id === me)?.read ?? 0;
}

/** A count of unread messages, as it is shown. */
export function unreadText(unread: number): string {
  return unread >= UNREAD_MAX ? `${UNREAD_MAX - 1}+` : String(unread);
}

/** The other one of a direct conversation; oneself, in a conversation with oneself. */
export function partnerOf(chat: Chat, me: UserId): Member | undefined {
  return chat.members.find((member) => member.user.id !== me) ?? chat.members[0];
}

/** How far a message has come; the order is that of its life. */
export type MessageState = "pending" | "stored" | "delivered" | "read" | "failed";

/** How far one's own message has come, given how far the others have. */
export function stateOf(line: Line, others: readonly Member[]): MessageState {
  if (line.entry !== undefined) return stateOfEntry(line.entry);
  const seq = line.message?.seq ?? 0;
  if (others.length === 0) return "stored";
  if (others.every((member) => member.read >= seq)) return "read";
  if (others.every((member) => member.delivered >= seq)) return "delivered";
  return "stored";
}

export function stateOfEntry(entry: Entry): MessageState {
  return entry.state === "failed" ? "failed" : "pending";
}
