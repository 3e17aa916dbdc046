import type { ConversationId } from "../sdk/protocol/generated";
import { addressOf, routeOf } from "./address";

export { addressOf };

/** Tells the conversation of the address, now and whenever it changes. */
export function onRoute(changed: (conversation: ConversationId | null) => void): void {
  changed(routeOf(location.hash));
  window.addEventListener("hashchange", () => changed(routeOf(location.hash)));
}

/** Goes to a conversation, or to the list; Back returns. */
export function goTo(conversation: ConversationId | null): void {
  location.hash = addressOf(conversation);
}

/** Takes a conversation that turned out not to be there out of the address, without a trace. */
export function leave(conversation: ConversationId): void {
  if (routeOf(location.hash) === conversation) history.replaceState(null, "", addressOf(null));
}
