import type { ConversationId } from "../sdk/protocol/generated";

const PREFIX = "#/c/";

/** The conversation that the address names. */
export function routeOf(hash: string): ConversationId | null {
  const id = hash.startsWith(PREFIX) ? hash.slice(PREFIX.length) : "";
  return /^[0-9a-f-]{36}$/.test(id) ? id : null;
}

/** The address of a conversation, or of the list. */
export function addressOf(conversation: ConversationId | null): string {
  return conversation === null ? "#/" : PREFIX + conversation;
}

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
