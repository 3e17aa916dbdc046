import type { Entry } from "../engine/outbox";
import type { Message, UserId } from "../protocol/generated";

/** Messages of one sender that follow each other within this time are one group. */
export const GROUP_MS = 5 * 60 * 1_000;

/** One line of a conversation: a message of the log, or one on its way there. */
export interface Line extends Surroundings {
  /** The same before and after it is stored. */
  readonly key: string;
  readonly body: string;
  /** RFC 3339. */
  readonly at: string;
  readonly message?: Message;
  readonly entry?: Entry;
}

/** What a line is to the reader, and to those before and after it. */
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

/** What decides who belongs together. */
interface Point {
  readonly sender: UserId;
  readonly day: string;
  /** Milliseconds since 1970. */
  readonly ms: number;
  readonly message?: Message;
  readonly entry?: Entry;
  /** The line made of it last, kept for as long as it is the same. */
  line?: Line;
}

/** Kept with their messages: of ten thousand lines, one more message changes two. */
const points = new WeakMap<Message, Point>();

/**
 * The messages held, then what is on its way. With number `fresh` begins what is
 * new to the reader, and a group.
 */
export function linesOf(
  messages: readonly Message[],
  entries: readonly Entry[],
  me: UserId,
  fresh: number | null = null,
): Line[] {
  const all = messages.map(pointOf);
  for (const entry of notIn(messages, entries, me)) all.push(pendingPoint(entry, me));
  let begins = true;
  return all.map((point, index) => {
    const after = all[index + 1];
    const ends = after === undefined || !belongsTo(point, after, fresh);
    const line = lineOf(point, beginsDay(all[index - 1], point), begins, ends, me);
    begins = ends;
    return line;
  });
}

/**
 * Without those that are in the log before their answer is here. One that was
 * refused is not what the log has by that name.
 */
function notIn(
  messages: readonly Message[],
  entries: readonly Entry[],
  me: UserId,
): readonly Entry[] {
  if (entries.length === 0) return entries;
  const own = messages.filter((message) => message.sender === me);
  const stored = new Set(own.map((message) => message.client_id));
  return entries.filter((entry) => entry.state === "failed" || !stored.has(entry.clientId));
}

/** Whether `next` is of the group of the point before it. One that was refused stands alone. */
function belongsTo(point: Point, next: Point, fresh: number | null): boolean {
  return (
    point.sender === next.sender &&
    point.day === next.day &&
    next.ms - point.ms < GROUP_MS &&
    point.entry?.state !== "failed" &&
    next.entry?.state !== "failed" &&
    (fresh === null || next.message?.seq !== fresh)
  );
}

/** What came before the first one held is not known, unless it is the first of all. */
function beginsDay(before: Point | undefined, point: Point): boolean {
  if (before !== undefined) return before.day !== point.day;
  return point.message === undefined || point.message.seq === 1;
}

function pointOf(message: Message): Point {
  const held = points.get(message);
  if (held !== undefined) return held;
  const point: Point = { sender: message.sender, ...timeOf(message.at), message };
  points.set(message, point);
  return point;
}

function pendingPoint(entry: Entry, me: UserId): Point {
  return { sender: me, ...timeOf(entry.writtenAt), entry };
}

function timeOf(at: string): { readonly day: string; readonly ms: number } {
  const then = new Date(at);
  return { day: then.toDateString(), ms: then.getTime() };
}

function lineOf(point: Point, day: boolean, begins: boolean, ends: boolean, me: UserId): Line {
  const { line: held, sender, message, entry } = point;
  const mine = sender === me;
  const same = held?.day === day && held.begins === begins && held.ends === ends;
  if (held !== undefined && same && held.mine === mine) return held;
  const around = { mine, sender, day, begins, ends };
  if (message !== undefined) point.line = storedLine(message, around);
  else if (entry !== undefined) point.line = pendingLine(entry, around);
  if (point.line === undefined) throw new Error("a point is a message or an entry");
  return point.line;
}

function storedLine(message: Message, around: Surroundings): Line {
  const { sender, client_id, body, at } = message;
  return { key: `${sender} ${client_id}`, body, at, ...around, message };
}

function pendingLine(entry: Entry, around: Surroundings): Line {
  const { clientId, body, writtenAt: at } = entry;
  const name = `${around.sender} ${clientId}`;
  return { key: entry.state === "failed" ? `${name} failed` : name, body, at, ...around, entry };
}
