import type { ConversationId } from "../sdk/protocol/generated";
import { addressOf, isKnown, meansConversation, routeOf } from "./address";

export { addressOf };

/** Calls back with the conversation in the address, now and whenever it changes. */
export function onRoute(changed: (conversation: ConversationId | null) => void): void {
  changed(routeOf(location.hash));
  window.addEventListener("hashchange", () => changed(routeOf(location.hash)));
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
