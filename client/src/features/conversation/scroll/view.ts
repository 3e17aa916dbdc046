import type { UserId } from "../../../sdk/protocol/generated";
import type { ConversationSummary } from "../../../sdk/store/state";
import { hasGap, indexOf, type Log, messagesAfter } from "../../../sdk/timeline/log";

/** What decides where the list of a conversation is, besides the reader. */
export interface View {
  readonly log: Log;
  readonly me: UserId;
  /** The number up to which the reader has read. */
  readonly read: number;
  /** How many messages are unread, held or not. */
  readonly unread: number;
  /** Whether the page has caught up with the server. */
  readonly caughtUp: boolean;
  /** One's own last message if it is on its way, `null` if none is; not known of a list that opens. */
  readonly written?: string | null;
}

export function viewOf(
  { members, unread }: ConversationSummary,
  log: Log,
  me: UserId,
  caughtUp: boolean,
): View {
  const read = members.find((member) => member.user.id === me)?.read ?? 0;
  return { log, me, read, unread, caughtUp };
}

/** Whether messages that the reader missed may still arrive at the end of the run. */
export function isCatchingUp({ log, caughtUp }: View): boolean {
  return !caughtUp || isFilling(log);
}

export const isFilling = (log: Log) => hasGap(log) && !log.detached;

/** The number of the first message of somebody else after number `seq`; `null` if none is held. */
export function firstAfter({ log, me }: View, seq: number): number | null {
  return messagesAfter(log, seq).find(({ sender }) => sender !== me)?.seq ?? null;
}

/** The number of the first unread message held; `null` if there is none. */
export const firstUnread = (view: View) => firstAfter(view, view.read);

/** The index of a row by the number of its message; `null` if it is not held. */
export function rowOf({ log }: View, seq: number | null): number | null {
  return seq === null ? null : indexOf(log, seq);
}

/** The number of the message in a row; of the last one if the row's is on its way. */
export function seqOf({ log }: View, row: number): number | null {
  return (log.messages[row - log.firstIndex] ?? log.messages.at(-1))?.seq ?? null;
}

/** Whether no unread message is before number `seq`. */
export function passesNothing(view: View, seq: number): boolean {
  if (view.unread === 0) return true;
  const first = firstUnread(view);
  return view.log.base <= view.read && seq <= (first ?? view.log.end);
}
