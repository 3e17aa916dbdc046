import type { ConversationId } from "../sdk/protocol/generated";

const PREFIX = "#/c/";

/** The conversation in the address; `null` if there is none. */
export function routeOf(hash: string): ConversationId | null {
  const id = hash.startsWith(PREFIX) ? hash.slice(PREFIX.length) : "";
  return /^[0-9a-f-]{36}$/.test(id) ? id : null;
}

/** Whether the address leads somewhere: to a conversation, or to the list. */
export function isKnown(hash: string): boolean {
  return ["", "#", "#/"].includes(hash) || routeOf(hash) !== null;
}

/** Whether the address looks like that of a conversation. */
export function meansConversation(hash: string): boolean {
  return hash.startsWith(PREFIX);
}

/** The address of a conversation, or of the list. */
export function addressOf(conversation: ConversationId | null): string {
  return conversation === null ? "#/" : PREFIX + conversation;
}
