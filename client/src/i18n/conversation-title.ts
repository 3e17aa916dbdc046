import type { User } from "../sdk/protocol/generated";
import { text } from "./i18n";

/** The title of a conversation: the partner's name, or that of the notes to self. */
export function conversationTitle(partner: User, me: User): string {
  return partner.id === me.id ? text.notes.title : partner.name;
}
