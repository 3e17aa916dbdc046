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
