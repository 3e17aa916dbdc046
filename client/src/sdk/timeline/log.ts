import type { History, UserId } from "../protocol/generated";
import { isMessage, isPin, type Message, type Numbered } from "../protocol/message";
import { completeTo, listedAsOf, NO_PINS, type Pins, withChanges } from "./pins";

/**
 * What this client holds of the log of one conversation: a contiguous run that
 * grows at its end with live events, replay and filled gaps, and at its beginning
 * with history. A run around an old message is detached: it grows at its end only
 * as far as the reader scrolls.
 */
export interface Log {
  /** The run begins after this number; 0: the beginning is held. */
  readonly base: number;
  /** The last number of the run: the cursor of `hello` and `sync`. */
  readonly end: number;
  /** When the event at the end was stored (RFC 3339); `null` where that is not known. */
  readonly endAt: string | null;
  /** The messages of the run, in order. Its other numbers are changes, or hidden. */
  readonly messages: readonly Message[];
  /** The index of the first message. No message changes its index when others come before it. */
  readonly firstIndex: number;
  /** Events beyond the run, kept until the gap before them is filled. */
  readonly outOfOrder: ReadonlyMap<number, Numbered>;
  /** The highest number known to exist. */
  readonly known: number;
  /** The highest number of the run whose event never came here: a page of history covered it. */
  readonly unseen: number;
  readonly pins: Pins;
  /** How often the log has begun again; within a run, no message changes its index. */
  readonly run: number;
  /** Whether the gap after the run is left open, because the reader is far from the end. */
  readonly detached: boolean;
}

/** The most events kept beyond a gap; filling the gap brings the others. */
export const OUT_OF_ORDER_MAX = 1_000;

/** Where the indices of a new log begin: more messages than this are never put before it. */
const FIRST_INDEX = 1_000_000_000;

/** An empty log that continues after number `base`. */
export function startLog(base: number): Log {
  return {
    base,
    end: base,
    endAt: null,
    messages: [],
    firstIndex: FIRST_INDEX,
    outOfOrder: new Map(),
    known: base,
    unseen: base,
    pins: NO_PINS,
    run: 0,
    detached: false,
  };
}

/** A log that begins again with a page of history; of the old run only the pins are kept. */
export function restartLog({ pins, run, known }: Log, page: History): Log {
  const detached = page.to < known;
  return cover({ ...startLog(page.from - 1), pins, run: run + 1, known, detached }, page);
}

/** Whether events are known to exist beyond the run. */
export function hasGap(log: Log): boolean {
  return log.known > log.end;
}

/** Whether changes of the pins may be missing. A new description of the conversation has them. */
export function lacksPins(log: Log): boolean {
  return log.unseen > log.pins.asOf;
}

/** Notes that events up to `seq` exist. */
export function noteKnown(log: Log, seq: number): Log {
  return seq > log.known ? { ...log, known: seq } : log;
}

/** Notes which messages are pinned, as the server describes them at event `asOf`. */
export function notePins(log: Log, listed: readonly number[], asOf: number): Log {
  const pins = listedAsOf(log.pins, listed, asOf);
  return pins === log.pins ? log : withCompletePins({ ...log, pins });
}

/** Adds one event, live or replayed; they may come in any order. */
export function place(log: Log, event: Numbered): Log {
  return placeAll(log, [event]);
}

/** Adds several events; those that are held already change nothing. */
export function placeAll(log: Log, incoming: readonly Numbered[]): Log {
  const outOfOrder = new Map(log.outOfOrder);
  let known = log.known;
  for (const event of incoming) {
    known = Math.max(known, event.seq);
    if (event.seq > log.end && !outOfOrder.has(event.seq)) outOfOrder.set(event.seq, event);
  }
  const next = drain(outOfOrder, log.end);
  if (next.length === 0 && outOfOrder.size === log.outOfOrder.size && known === log.known)
    return log;
  evict(outOfOrder);
  const seen = { ...log, outOfOrder, known };
  return goOn(log.detached ? withPins(seen, incoming) : seen, next, log.end + next.length);
}

/**
 * Adds a page of history, which covers the numbers from `from` to `to`: those that are
 * not among its messages are changes, and part of what the server says of the conversation.
 */
export function cover(log: Log, page: History): Log {
  const { from, to, last_seq, last_at } = page;
  const noted = noteKnown(log, last_seq);
  const messages = page.messages.filter(isMessage);
  if (to < log.base) return noted;
  if (from > log.end + 1) return placeAll(noted, messages);
  const covered = coverAfter(coverBefore(noted, messages, from), messages, to);
  const isEnd = covered.end === last_seq && covered.endAt === null && last_at !== null;
  return isEnd ? { ...covered, endAt: last_at } : covered;
}

/** Drops all but the last `keep` messages. */
export function trim(log: Log, keep: number): Log {
  const surplus = log.messages.length - keep;
  const last = log.messages[surplus - 1];
  if (last === undefined) return log;
  return {
    ...log,
    base: last.seq,
    messages: log.messages.slice(surplus),
    firstIndex: log.firstIndex + surplus,
  };
}

/** The messages after number `seq`. */
export function messagesAfter({ messages }: Log, seq: number): readonly Message[] {
  return messages.slice(messages.findLastIndex((message) => message.seq <= seq) + 1);
}

/** The index of a message by its number; `null` if it is not held. */
export function indexOf(log: Log, seq: number): number | null {
  const at = log.messages.findLastIndex((message) => message.seq === seq);
  return at === -1 ? null : log.firstIndex + at;
}

/** The number of the last message of somebody else, up to number `end`; 0 if none is held. */
export function newestOfOthers(
  log: Log,
  me: UserId | null,
  end = Number.POSITIVE_INFINITY,
): number {
  const newest = log.messages.findLast(({ seq, sender }) => seq <= end && sender !== me);
  return newest?.seq ?? 0;
}

/** Adds the part of a page before the run. */
function coverBefore(log: Log, messages: readonly Message[], from: number): Log {
  if (from > log.base) return log;
  const older = messages.filter(({ seq }) => seq <= log.base);
  return {
    ...log,
    base: from - 1,
    messages: older.length > 0 ? [...older, ...log.messages] : log.messages,
    firstIndex: log.firstIndex - older.length,
  };
}

/** Adds the part of a page after the run, with the events that had come for its numbers. */
function coverAfter(log: Log, messages: readonly Message[], to: number): Log {
  if (to <= log.end) return log;
  const paged = new Map(messages.map((message) => [message.seq, message]));
  const outOfOrder = new Map(log.outOfOrder);
  const seen: Numbered[] = [];
  let { unseen } = log;
  for (let seq = log.end + 1; seq <= to; seq += 1) {
    const event = paged.get(seq) ?? outOfOrder.get(seq);
    outOfOrder.delete(seq);
    if (event === undefined) unseen = seq;
    else seen.push(event);
  }
  const next = drain(outOfOrder, to);
  return goOn({ ...log, outOfOrder, unseen }, [...seen, ...next], to + next.length);
}

/** Continues the run up to number `end`; `seen` are the events that came of the numbers added. */
function goOn(log: Log, seen: readonly Numbered[], end: number): Log {
  if (end === log.end) return log;
  const messages = seen.filter(isMessage);
  const last = seen.at(-1);
  return withCompletePins({
    ...log,
    end,
    endAt: last?.seq === end && "at" in last ? last.at : null,
    detached: log.detached && end < log.known,
    messages: messages.length > 0 ? [...log.messages, ...messages] : log.messages,
    pins: withChanges(log.pins, seen.filter(isPin)),
  });
}

function withCompletePins(log: Log): Log {
  return lacksPins(log) ? log : { ...log, pins: completeTo(log.pins, log.end) };
}

/** Notes pins that a detached run may never come to; others may be missing before them. */
function withPins(log: Log, events: readonly Numbered[]): Log {
  const changes = events.filter(isPin);
  const unseen = changes.reduce((last, { seq }) => Math.max(last, seq), log.unseen);
  return { ...log, unseen, pins: withChanges(log.pins, changes) };
}

/** Removes the events from `outOfOrder` that continue the run, and returns them. */
function drain(outOfOrder: Map<number, Numbered>, end: number): Numbered[] {
  const next: Numbered[] = [];
  for (let seq = end + 1; ; seq += 1) {
    const event = outOfOrder.get(seq);
    if (event === undefined) return next;
    outOfOrder.delete(seq);
    next.push(event);
  }
}

/** Drops the farthest events beyond the bound; `known` still counts them. */
function evict(outOfOrder: Map<number, Numbered>): void {
  if (outOfOrder.size <= OUT_OF_ORDER_MAX) return;
  const farthest = [...outOfOrder.keys()]
    .sort((a, b) => b - a)
    .slice(0, outOfOrder.size - OUT_OF_ORDER_MAX);
  for (const seq of farthest) outOfOrder.delete(seq);
}
