import type { Content, Event, Hidden } from "./generated";

/** An event of one kind. */
export type EventOf<Kind extends Content["kind"]> = Extract<Event, { readonly kind: Kind }>;

/** An event that says something. Only messages are shown as rows, and count as unread. */
export type Message = EventOf<"message">;

/** An event that pins a message, or unpins it. */
export type Pin = EventOf<"pin">;

/** The content of an event of one kind. */
export type ContentOf<Kind extends Content["kind"]> = Extract<Content, { readonly kind: Kind }>;

/** What takes a number of a conversation's log. */
export type Numbered = Event | Hidden;

export function isMessage(event: Numbered): event is Message {
  return "kind" in event && event.kind === "message";
}

export function isPin(event: Numbered): event is Pin {
  return "kind" in event && event.kind === "pin";
}
