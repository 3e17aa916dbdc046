import type { MessageEntry } from "../outbox/outbox";
import type { Message } from "../protocol/message";

/** A stored message. */
export const message = (seq: number, at: string, sender = "ada"): Message => ({
  conversation: "c",
  seq,
  sender,
  client_id: `m${seq}`,
  at,
  kind: "message",
  body: "text",
});

/** Ada's message 9, before it is stored. */
export const entry: MessageEntry = {
  clientId: "m9",
  conversation: "c",
  content: { kind: "message", body: "text" },
  writtenAt: "2026-11-23T12:00:00.000Z",
  state: "sent",
};
