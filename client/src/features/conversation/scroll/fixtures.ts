import type { History } from "../../../sdk/protocol/generated";
import type { Message } from "../../../sdk/protocol/message";
import { cover, type Log, startLog } from "../../../sdk/timeline/log";
import type { Position } from "./anchor";
import { reduce, type ScrollEvent, type ScrollState, type Step } from "./scroll-state";
import type { View } from "./view";

export const message = (seq: number): Message => ({
  conversation: "c",
  seq,
  // Ada, who reads, wrote every tenth.
  sender: seq % 10 === 0 ? "ada" : "bob",
  client_id: `m${seq}`,
  at: "2026-11-23T12:00:00.000Z",
  kind: "message",
  body: "text",
});

export const pageOf = (from: number, to: number, last_seq = to): History => ({
  messages: Array.from({ length: to - from + 1 }, (_, at) => message(from + at)),
  from,
  to,
  last_seq,
  last_at: null,
});

/** A log that holds the numbers after `base`, up to `end`. */
export const held = (base: number, end: number) => cover(startLog(base), pageOf(base + 1, end));

export const view = (log: Log, read: number, more: Partial<View> = {}): View => ({
  log,
  me: "ada",
  read,
  unread: log.known > read ? Math.min(100, log.known - read) : 0,
  caughtUp: true,
  written: null,
  ...more,
});

/** The row of message `seq`, in a log whose numbers are all messages. */
export const rowOf = ({ view: { log } }: ScrollState, seq: number) =>
  log.firstIndex + seq - log.base - 1;

export const at = (fromEnd: number, row: number | null = null): Position => ({
  fromEnd,
  row: row === null ? null : { row, part: 0, y: 5 },
});

export const FAR = 5_000;
export const see = (next: View, scrolling = false): ScrollEvent => ({
  type: "view",
  view: next,
  scrolling,
});

/** The state after some events, and what the last of them made it do. */
export function through(start: Step, ...events: ScrollEvent[]): Step {
  return events.reduce<Step>(([state], event) => reduce(state, event), start);
}
