import type { ClientId, Code, ConversationId, ErrorFrame } from "../protocol/generated";

/** One message on its way to the server. */
export interface Entry {
  readonly clientId: ClientId;
  readonly conversation: ConversationId;
  readonly body: string;
  /** When it was written, by this device's clock; shown, never used for order. */
  readonly writtenAt: string;
  /** `waiting` to be sent, `sent` and not answered yet, or refused for good. */
  readonly state: "waiting" | "sent" | "failed";
  /** The server's sentence, for a failed one. */
  readonly reason?: string;
  readonly code?: Code;
}

/** What is written and not stored yet, in the order of writing. */
export interface Outbox {
  readonly entries: readonly Entry[];
  /** Nothing is sent before this moment of the clock: the server asked to wait. */
  readonly pausedUntil: number;
}

export const EMPTY_OUTBOX: Outbox = { entries: [], pausedUntil: 0 };

/** Used when an answer that asks to try again does not say when. */
export const RETRY_AFTER_MS = 1_000;

const RETRYABLE: ReadonlySet<Code> = new Set(["busy", "rate_limited", "storage_unavailable"]);

/** Appends what was just written, or what an earlier page left behind. */
export function enqueue(outbox: Outbox, added: readonly Entry[]): Outbox {
  const held = new Set(outbox.entries.map((entry) => entry.clientId));
  const fresh = added.filter((entry) => !held.has(entry.clientId));
  return fresh.length === 0 ? outbox : { ...outbox, entries: [...outbox.entries, ...fresh] };
}

/** Those to be sent now: oldest first, at most `window` unanswered in all. */
export function due(outbox: Outbox, window: number, now: number): readonly Entry[] {
  if (now < outbox.pausedUntil) return [];
  const unanswered = outbox.entries.filter((entry) => entry.state === "sent").length;
  const waiting = outbox.entries.filter((entry) => entry.state === "waiting");
  return waiting.slice(0, Math.max(0, window - unanswered));
}

/** Marks those handed to the socket. */
export function markSent(outbox: Outbox, sent: readonly Entry[]): Outbox {
  const ids = new Set(sent.map((entry) => entry.clientId));
  return update(outbox, (entry) => (ids.has(entry.clientId) ? { ...entry, state: "sent" } : entry));
}

/** Removes one: stored, or thrown away by the user. */
export function remove(outbox: Outbox, clientId: ClientId): Outbox {
  const entries = outbox.entries.filter((entry) => entry.clientId !== clientId);
  return entries.length === outbox.entries.length ? outbox : { ...outbox, entries };
}

/**
 * Answers a refusal: for good, or for now. Then it waits, with those behind it:
 * the server refuses them too, until the first one has come again.
 */
export function refuse(outbox: Outbox, error: ErrorFrame, now: number): Outbox {
  const index = outbox.entries.findIndex((entry) => entry.clientId === error.client_id);
  const refused = outbox.entries[index];
  if (refused === undefined) return outbox;
  if (!RETRYABLE.has(error.code)) return fail(outbox, refused, error);
  return {
    entries: outbox.entries.map((entry, at) =>
      at >= index && entry.conversation === refused.conversation ? unsent(entry) : entry,
    ),
    pausedUntil: Math.max(outbox.pausedUntil, now + (error.retry_after_ms ?? RETRY_AFTER_MS)),
  };
}

/** The connection or the session is a new one: what was not answered goes again. */
export function resendAll(outbox: Outbox): Outbox {
  return { ...update(outbox, unsent), pausedUntil: 0 };
}

/**
 * Lets the user try a failed one again, as the newest. It keeps its name, so
 * that it cannot be stored twice, unless `fresh` replaces one that was taken.
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

function fail(outbox: Outbox, refused: Entry, error: ErrorFrame): Outbox {
  return update(outbox, (entry) =>
    entry === refused
      ? { ...entry, state: "failed", reason: error.message, code: error.code }
      : entry,
  );
}

function unsent(entry: Entry): Entry {
  return entry.state === "sent" ? { ...entry, state: "waiting" } : entry;
}

function update(outbox: Outbox, change: (entry: Entry) => Entry): Outbox {
  return { ...outbox, entries: outbox.entries.map(change) };
}
