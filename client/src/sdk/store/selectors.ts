import { type Entry, isMessageEntry, type MessageEntry } from "../outbox/outbox";
import {
  type ConversationId,
  type Member,
  UNREAD_MAX,
  type User,
  type UserId,
} from "../protocol/generated";
import { type Pins, pinnedIn, withPin } from "../timeline/pins";
import type { Row } from "../timeline/rows";
import type { Presence } from "./presence";
import type { ConversationSummary, State } from "./state";

export const selectMe = (state: State): User | null =>
  state.auth.kind === "active" ? state.auth.me : null;

/** Whether the user has chosen to be invisible to others. */
export const selectInvisible = (state: State): boolean =>
  state.auth.kind === "active" && state.auth.invisible;

/** The presence of a user; `unknown` until the server has told. */
export type Status = "online" | "away" | "offline" | "unknown";

export function statusOf(presence: Presence, user: UserId): Status {
  if (presence.online.has(user)) return presence.away.has(user) ? "away" : "online";
  return presence.count === null ? "unknown" : "offline";
}

/** When an offline user was last seen (RFC 3339); `null` if never, or if that is unknown. */
export function lastSeenOf(state: State, user: UserId): string | null {
  return statusOf(state.presence, user) === "offline" ? (state.lastSeen.get(user) ?? null) : null;
}

/** The number of unread messages in all listed conversations. */
export function selectUnread(state: State): number {
  let unread = 0;
  for (const conversation of state.conversations.values()) unread += conversation.unread;
  return unread;
}

/** One row of the list of conversations. */
export interface ConversationListRow {
  readonly conversation: ConversationSummary;
  /** The last message written in it that is not stored yet. */
  readonly entry: MessageEntry | undefined;
}

/**
 * All conversations, the most recent first: new ones without messages, then by the last
 * message. Messages on their way are newer than stored ones; refused ones do not count.
 */
export function conversationListRows(
  conversations: ReadonlyMap<ConversationId, ConversationSummary>,
  entries: readonly Entry[],
): ConversationListRow[] {
  const messages = entries.filter(isMessageEntry);
  const newest = new Map(messages.map((entry) => [entry.conversation, entry]));
  const underWay = messages.filter((entry) => entry.state !== "failed");
  const places = new Map(underWay.map((entry, place) => [entry.conversation, place]));
  const place = ({ conversation }: ConversationListRow) => places.get(conversation.id) ?? -1;
  return [...conversations.values()]
    .map((conversation) => ({ conversation, entry: newest.get(conversation.id) }))
    .sort(
      (a, b) =>
        place(b) - place(a) ||
        newness(b) - newness(a) ||
        byActivity(a.conversation, b.conversation),
    );
}

function newness({ conversation, entry }: ConversationListRow): number {
  return conversation.last === null && entry === undefined ? 1 : 0;
}

function byActivity(a: ConversationSummary, b: ConversationSummary): number {
  const [left, right] = [a.last?.at ?? "", b.last?.at ?? ""];
  return left === right ? (a.id < b.id ? 1 : -1) : left < right ? 1 : -1;
}

/**
 * The numbers of the pinned messages of a conversation, the one pinned first in front.
 * Own changes show at once, and are undone if they are refused.
 */
export function pinnedWith(
  pins: Pins,
  entries: readonly Entry[],
  conversation: ConversationId,
): readonly number[] {
  return entries.reduce(
    (pinned, entry) =>
      entry.conversation === conversation && entry.content.kind === "pin"
        ? withPin(pinned, entry.content)
        : pinned,
    pinnedIn(pins),
  );
}

/** The text of a count of unread messages. */
export function unreadText(unread: number): string {
  return unread >= UNREAD_MAX ? `${UNREAD_MAX - 1}+` : String(unread);
}

/** The other member of a direct conversation; oneself in notes to self. */
export function partnerOf(conversation: ConversationSummary, me: UserId): Member | undefined {
  return conversation.members.find((member) => member.user.id !== me) ?? conversation.members[0];
}

/** How far a message has got, in the order of its life. */
export type DeliveryState = "pending" | "stored" | "delivered" | "read" | "failed";

/** The delivery state of one's own message, from the positions of the other members. */
export function deliveryStateOf(row: Row, others: readonly Member[]): DeliveryState {
  if (row.entry !== undefined) return deliveryStateOfEntry(row.entry);
  const seq = row.message?.seq ?? 0;
  if (others.length === 0) return "stored";
  if (others.every((member) => member.read >= seq)) return "read";
  if (others.every((member) => member.delivered >= seq)) return "delivered";
  return "stored";
}

export function deliveryStateOfEntry(entry: Entry): DeliveryState {
  return entry.state === "failed" ? "failed" : "pending";
}
