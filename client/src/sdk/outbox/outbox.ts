import type { ClientId, Code, Content, ConversationId, ErrorFrame } from "../protocol/generated";
import type { ContentOf } from "../protocol/message";

/** Something on its way to the server: a message, or a change such as a pin. */
export interface Entry<C extends Content = Content> {
  readonly clientId: ClientId;
  readonly conversation: ConversationId;
  readonly content: C;
  /** When it was written, by this device's clock; shown, never used for order. */
  readonly writtenAt: string;
  /** `waiting` to be sent, `sent` but not answered yet, or `failed` for good. */
  readonly state: "waiting" | "sent" | "failed";
  /** The server's sentence, for a failed one. */
  readonly reason?: string;
  readonly code?: Code;
}

/** Of all entries, only messages are shown as rows, and count as unsent. */
export type MessageEntry = Entry<ContentOf<"message">>;

/** What is not stored yet, in the order of writing. */
export interface Outbox {
  readonly entries: readonly Entry[];
  /** Nothing is sent before this moment of the clock: the server asked to wait. */
  readonly pausedUntil: number;
  /** The last change that was refused for good. Nobody can retry it, so it is no entry any more. */
  readonly refused: Refused | null;
}

/** An entry that was refused for good, and why. */
export type Refused = Entry & Required<Pick<Entry, "reason" | "code">>;

export const EMPTY_OUTBOX: Outbox = { entries: [], pausedUntil: 0, refused: null };

/** The wait when the server says to try again but not when. */
const RETRY_AFTER_MS = 1_000;

const RETRYABLE: ReadonlySet<Code> = new Set(["busy", "rate_limited", "storage_unavailable"]);

export function isMessageEntry(entry: Entry): entry is MessageEntry {
  return entry.content.kind === "message";
}

/** Appends new entries, or those taken over from storage. */
export function enqueue(outbox: Outbox, added: readonly Entry[]): Outbox {
  const held = new Set(outbox.entries.map((entry) => entry.clientId));
  const fresh = added.filter((entry) => !held.has(entry.clientId));
  return fresh.length === 0 ? outbox : { ...outbox, entries: [...outbox.entries, ...fresh] };
}

/** The entries to send now: the oldest first, with at most `window` unanswered in all. */
export function due(outbox: Outbox, window: number, now: number): readonly Entry[] {
  if (now < outbox.pausedUntil) return [];
  const unanswered = outbox.entries.filter((entry) => entry.state === "sent").length;
  const waiting = outbox.entries.filter((entry) => entry.state === "waiting");
  return waiting.slice(0, Math.max(0, window - unanswered));
}

/** Marks entries as sent. */
export function markSent(outbox: Outbox, sent: readonly Entry[]): Outbox {
  const ids = new Set(sent.map((entry) => entry.clientId));
  return update(outbox, (entry) => (ids.has(entry.clientId) ? { ...entry, state: "sent" } : entry));
}

/** Removes an entry that was stored, or discarded by the user. */
export function remove(outbox: Outbox, clientId: ClientId): Outbox {
  const entries = outbox.entries.filter((entry) => entry.clientId !== clientId);
  return entries.length === outbox.entries.length ? outbox : { ...outbox, entries };
}

/**
 * Drops changes, and keeps messages, when the server's history is another one: a change names
 * its message by a number, which may be that of another message now.
 */
export function messagesOnly(outbox: Outbox): Outbox {
  return { ...outbox, entries: outbox.entries.filter(isMessageEntry) };
}

/**
 * Handles a refusal. A message refused for good has failed, and a change is dropped: it shows
 * as it was before. An entry refused for now waits, with those after it, which the server refuses too until the first has come again. If it is
 * discarded instead, it must be given up: see `OutboxSender`.
 */
export function refuse(outbox: Outbox, error: ErrorFrame, now: number): Outbox {
  const index = outbox.entries.findIndex((entry) => entry.clientId === error.client_id);
  const refused = outbox.entries[index];
  if (refused === undefined) return outbox;
  if (!RETRYABLE.has(error.code)) return fail(outbox, refused, error);
  return {
    ...outbox,
    entries: outbox.entries.map((entry, at) =>
      at >= index && entry.conversation === refused.conversation ? unsent(entry) : entry,
    ),
    pausedUntil: Math.max(outbox.pausedUntil, now + (error.retry_after_ms ?? RETRY_AFTER_MS)),
  };
}

/** The connection or session is new: everything unanswered is sent again. */
export function resendAll(outbox: Outbox): Outbox {
  return { ...update(outbox, unsent), pausedUntil: 0 };
}

/**
 * Tries a failed entry again, as the newest. It keeps its id, so that it cannot be stored
 * twice, unless the id was taken: then `fresh` replaces it.
 */
export function retry(outbox: Outbox, clientId: ClientId, fresh: ClientId): Outbox {
  const failed = outbox.entries.find((entry) => entry.clientId === clientId);
  if (failed?.state !== "failed") return outbox;
  const { reason: _reason, code, ...kept } = failed;
  const again: Entry = {
    ...kept,
    clientId: code === "id_reused" ? fresh : clientId,
    state: "waiting",
  };
  return enqueue(remove(outbox, clientId), [again]);
}

function fail(outbox: Outbox, refused: Entry, { message, code }: ErrorFrame): Outbox {
  const failed: Refused = { ...refused, state: "failed", reason: message, code };
  return isMessageEntry(refused)
    ? update(outbox, (entry) => (entry === refused ? failed : entry))
    : { ...remove(outbox, refused.clientId), refused: failed };
}

function unsent(entry: Entry): Entry {
  return entry.state === "sent" ? { ...entry, state: "waiting" } : entry;
}

function update(outbox: Outbox, change: (entry: Entry) => Entry): Outbox {
  return { ...outbox, entries: outbox.entries.map(change) };
}
