import type { Message, UserId } from "../protocol/generated";

/**
 * What this client holds of one conversation: a run of the log without a gap,
 * growing downwards with live messages, replay and gap filling, and upwards
 * with history.
 */
export interface Log {
  /** The run begins after this number; 0: the beginning is held. */
  readonly base: number;
  /** Those numbered `base + 1`, `base + 2`, … in order. */
  readonly messages: readonly Message[];
  /** Ahead of the run, kept until the gap before them is filled. */
  readonly aside: ReadonlyMap<number, Message>;
  /** The highest number known to exist. */
  readonly known: number;
}

/** The most messages kept ahead of a gap; more come with the gap's filling. */
export const ASIDE_MAX = 1_000;

/** A log of which nothing is held, to be continued after number `base`. */
export function startLog(base: number): Log {
  return { base, messages: [], aside: new Map(), known: base };
}

/** The highest number held without a gap: the cursor of `hello` and `sync`. */
export function heldTo(log: Log): number {
  return log.base + log.messages.length;
}

/** Whether something is known to exist that is not held. */
export function hasGap(log: Log): boolean {
  return log.known > heldTo(log);
}

/** Takes note that messages up to `seq` exist. */
export function noteKnown(log: Log, seq: number): Log {
  return seq > log.known ? { ...log, known: seq } : log;
}

/** Takes in one message, live, replayed or fetched, in whatever order they come. */
export function place(log: Log, message: Message): Log {
  return placeAll(log, [message]);
}

/** Takes in several at once; what is held already changes nothing. */
export function placeAll(log: Log, incoming: readonly Message[]): Log {
  const aside = new Map(log.aside);
  const held = heldTo(log);
  let known = log.known;
  for (const message of incoming) {
    known = Math.max(known, message.seq);
    if (message.seq > held && !aside.has(message.seq)) aside.set(message.seq, message);
  }
  const next = drain(aside, held);
  if (next.length === 0 && aside.size === log.aside.size && known === log.known) return log;
  shed(aside);
  return {
    base: log.base,
    messages: next.length > 0 ? [...log.messages, ...next] : log.messages,
    aside,
    known,
  };
}

/** Puts a page of history before the run; one that does not touch it changes nothing. */
export function prepend(log: Log, page: readonly Message[]): Log {
  const older = page.filter((message) => message.seq <= log.base);
  const first = log.base - older.length + 1;
  const dense = older.every((message, index) => message.seq === first + index);
  if (older.length === 0 || !dense) return log;
  return { ...log, base: first - 1, messages: [...older, ...log.messages] };
}

/** Lets go of all but the last `keep` messages. */
export function trim(log: Log, keep: number): Log {
  const surplus = log.messages.length - keep;
  if (surplus <= 0) return log;
  return { ...log, base: log.base + surplus, messages: log.messages.slice(surplus) };
}

/** The last message that somebody else wrote, up to number `end`; 0: none that is held. */
export function newestOfOthers(
  log: Log,
  me: UserId | null,
  end = Number.POSITIVE_INFINITY,
): number {
  const newest = log.messages.findLast(({ seq, sender }) => seq <= end && sender !== me);
  return newest?.seq ?? 0;
}

/** Takes out of `aside` what continues the run. */
function drain(aside: Map<number, Message>, held: number): Message[] {
  const next: Message[] = [];
  for (let seq = held + 1; ; seq += 1) {
    const message = aside.get(seq);
    if (message === undefined) return next;
    aside.delete(seq);
    next.push(message);
  }
}

/** Drops the farthest ones beyond the bound: their number stays known. */
function shed(aside: Map<number, Message>): void {
  if (aside.size <= ASIDE_MAX) return;
  const farthest = [...aside.keys()].sort((a, b) => b - a).slice(0, aside.size - ASIDE_MAX);
  for (const seq of farthest) aside.delete(seq);
}
