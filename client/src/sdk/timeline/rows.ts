import { type Entry, isMessageEntry, type MessageEntry } from "../outbox/outbox";
import type { UserId } from "../protocol/generated";
import type { Message } from "../protocol/message";
import type { Log } from "./log";

/** Messages of one sender that follow each other within this time form a group. */
export const GROUP_MS = 5 * 60 * 1_000;

/** One row of a conversation: a message of the log, or one on its way there. */
export interface Row extends Surroundings {
  /** The same before and after it is stored. */
  readonly key: string;
  readonly body: string;
  /** RFC 3339. */
  readonly at: string;
  readonly message?: Message;
  readonly entry?: MessageEntry;
}

/** How a row relates to the reader, and to the rows before and after it. */
interface Surroundings {
  readonly mine: boolean;
  readonly sender: UserId;
  /** Whether a new day begins with it. */
  readonly day: boolean;
  /** Whether a group begins with it. */
  readonly begins: boolean;
  /** Whether a group ends with it. */
  readonly ends: boolean;
}

/** What a row is made from, and what decides which rows form a group. */
interface RowSource {
  readonly sender: UserId;
  readonly day: string;
  /** Milliseconds since 1970. */
  readonly ms: number;
  /** The reader's calendar when `day` was computed. */
  readonly calendar?: string;
  readonly message?: Message;
  readonly entry?: MessageEntry;
  /** The row made from it last, reused while nothing changes. */
  row?: Row;
}

/** Cached for each message: one more message changes two rows of ten thousand. */
const sources = new WeakMap<Message, RowSource>();

/**
 * The rows of the messages held, then of those on their way. Number `fresh` is the first
 * message that is new to the reader, and begins a group. If `calendar` has changed (the
 * reader is in another time zone), the days are computed again.
 */
export function rowsOf(
  { base, messages }: Pick<Log, "base" | "messages">,
  entries: readonly Entry[],
  me: UserId,
  fresh: number | null = null,
  calendar = "",
): Row[] {
  const all = messages.map((message) => sourceOf(message, calendar));
  for (const entry of notIn(messages, entries, me)) all.push(pendingSource(entry, me));
  let begins = true;
  return all.map((source, index) => {
    const after = all[index + 1];
    const ends = after === undefined || !belongsTo(source, after, fresh);
    const row = rowOf(source, beginsDay(all[index - 1], source, base), begins, ends, me);
    begins = ends;
    return row;
  });
}

/**
 * Leaves out the entries that are in the log before they are answered. An entry that
 * was refused is another message than the one the log has by its id.
 */
function notIn(
  messages: readonly Message[],
  entries: readonly Entry[],
  me: UserId,
): readonly MessageEntry[] {
  const unsent = entries.filter(isMessageEntry);
  if (unsent.length === 0) return unsent;
  const own = messages.filter((message) => message.sender === me);
  const stored = new Set(own.map((message) => message.client_id));
  return unsent.filter((entry) => entry.state === "failed" || !stored.has(entry.clientId));
}

/** Whether `next` belongs to the group of the source before it. A refused message stands alone. */
function belongsTo(source: RowSource, next: RowSource, fresh: number | null): boolean {
  return (
    source.sender === next.sender &&
    source.day === next.day &&
    next.ms - source.ms < GROUP_MS &&
    source.entry?.state !== "failed" &&
    next.entry?.state !== "failed" &&
    (fresh === null || next.message?.seq !== fresh)
  );
}

/** Whether a day begins here. What precedes the first message held is unknown, unless `base` is 0. */
function beginsDay(before: RowSource | undefined, source: RowSource, base: number): boolean {
  if (before !== undefined) return before.day !== source.day;
  return source.message === undefined || base === 0;
}

function sourceOf(message: Message, calendar: string): RowSource {
  const held = sources.get(message);
  if (held?.calendar === calendar) return held;
  const source: RowSource = { sender: message.sender, ...timeOf(message.at), calendar, message };
  sources.set(message, source);
  return source;
}

function pendingSource(entry: MessageEntry, me: UserId): RowSource {
  return { sender: me, ...timeOf(entry.writtenAt), entry };
}

function timeOf(at: string): { readonly day: string; readonly ms: number } {
  const then = new Date(at);
  return { day: then.toDateString(), ms: then.getTime() };
}

function rowOf(source: RowSource, day: boolean, begins: boolean, ends: boolean, me: UserId): Row {
  const { row: held, sender, message, entry } = source;
  const mine = sender === me;
  const same = held?.day === day && held.begins === begins && held.ends === ends;
  if (held !== undefined && same && held.mine === mine) return held;
  const around = { mine, sender, day, begins, ends };
  if (message !== undefined) source.row = storedRow(message, around);
  else if (entry !== undefined) source.row = pendingRow(entry, around);
  if (source.row === undefined) throw new Error("a row is made from a message or an entry");
  return source.row;
}

function storedRow(message: Message, around: Surroundings): Row {
  const { sender, client_id, body, at } = message;
  return { key: `${sender} ${client_id}`, body, at, ...around, message };
}

function pendingRow(entry: MessageEntry, around: Surroundings): Row {
  const { clientId, content, writtenAt: at } = entry;
  const { body } = content;
  const name = `${around.sender} ${clientId}`;
  return { key: entry.state === "failed" ? `${name} failed` : name, body, at, ...around, entry };
}
