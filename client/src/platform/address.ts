import type { ConversationId } from "../sdk/protocol/generated";

const PREFIX = "#/c/";
/** No number has more digits than JavaScript holds exactly. */
const CONVERSATION = /^#\/c\/([0-9a-f-]{36})(?:\/([1-9]\d{0,14}))?$/;

/** Where an address leads. */
export interface Route {
  readonly conversation: ConversationId;
  /** The number of a message in it, for an address that leads to one. */
  readonly message: number | null;
}

/** The conversation in the address, and the message; `null` if there is none. */
export function routeOf(hash: string): Route | null {
  const [, conversation, message] = CONVERSATION.exec(hash) ?? [];
  if (conversation === undefined) return null;
  return { conversation, message: message === undefined ? null : Number(message) };
}

/** Whether the address leads somewhere: to a conversation, or to the list. */
export function isKnown(hash: string): boolean {
  return ["", "#", "#/"].includes(hash) || routeOf(hash) !== null;
}

/** Whether the address looks like that of a conversation. */
export function meansConversation(hash: string): boolean {
  return hash.startsWith(PREFIX);
}

/** The address of a conversation, of a message in it, or of the list. */
export function addressOf(conversation: ConversationId | null, message?: number): string {
  if (conversation === null) return "#/";
  return PREFIX + conversation + (message === undefined ? "" : `/${message}`);
}
