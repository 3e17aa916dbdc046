import type { ConversationId } from "../sdk/protocol/generated";
import { addressOf, isKnown, meansConversation, routeOf } from "./address";

export { addressOf };

/** The address of a message, for whoever is in its conversation. */
export function linkTo(conversation: ConversationId, message: number): string {
  return `${location.origin}/${addressOf(conversation, message)}`;
}

/** Whether a link leads to somewhere on this page. */
export function isOwn(link: string): boolean {
  return link.startsWith(`${location.origin}/#/`);
}

/** Calls back with the conversation in the address, now and whenever it changes. */
export function onRoute(changed: (conversation: ConversationId | null) => void): void {
  const tell = () => changed(routeOf(location.hash)?.conversation ?? null);
  tell();
  window.addEventListener("hashchange", tell);
}

/**
 * Calls back with the message that the address leads to in this conversation, now and whenever
 * that changes, and leaves only the conversation in the address: a reload stays where the
 * reader is by then. Returns an unsubscribe function.
 */
export function onLinkedMessage(
  conversation: ConversationId,
  follow: (message: number) => void,
): () => void {
  const look = () => {
    const route = routeOf(location.hash);
    if (route?.conversation !== conversation || route.message === null) return;
    history.replaceState(history.state, "", addressOf(conversation));
    follow(route.message);
  };
  look();
  return onAddress(look);
}

/** Goes to a conversation, or to the list; Back returns. */
export function goTo(conversation: ConversationId | null): void {
  location.hash = addressOf(conversation);
}

/** What the address leads to: a known place, or one that cannot exist. */
export type Destination = "known" | "no page" | "no conversation";

export function destination(): Destination {
  if (location.pathname !== "/") return "no page";
  if (isKnown(location.hash)) return "known";
  return meansConversation(location.hash) ? "no conversation" : "no page";
}

/** Calls back when the address has changed. Returns an unsubscribe function. */
export function onAddress(changed: () => void): () => void {
  window.addEventListener("hashchange", changed);
  return () => window.removeEventListener("hashchange", changed);
}
