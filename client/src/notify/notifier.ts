import { excerptOf } from "../format/excerpt";
import type { ConversationId, Message } from "../sdk/protocol/generated";
import type { State } from "../sdk/store/state";
import type { News } from "./notification";

/** The ways to tell the user; a browser's are in `voices.tsx`. */
export interface Voices {
  /** Inside the page; one of the same conversation is replaced. */
  toast(news: News): void;
  /** Where no page has the conversation in view. */
  sound(conversation: ConversationId): void;
  /** Outside of the page, with its sound. */
  notification(news: News): void;
  /** Whether the page is in view. */
  inView(): boolean;
  /** Whether it is for this page, of all that are open, to tell what no page shows. */
  speaksForAll(): Promise<boolean>;
}

/**
 * Tells of a message of somebody else, where the user does not see it anyway. One
 * that was `missed`, before there was a page, shows in the list of a page in view.
 */
export async function tell(
  message: Message,
  missed: boolean,
  state: State,
  voices: Voices,
): Promise<void> {
  const sender = state.people.get(message.sender);
  if (sender === undefined) return;
  const { conversation, seq } = message;
  const unread = state.chats.get(conversation)?.unread ?? 1;
  const news = { conversation, seq, from: sender.name, excerpt: excerptOf(message.body), unread };
  const elsewhere = state.open !== conversation && !missed;
  if (elsewhere) voices.toast(news);
  if (!voices.inView()) {
    if (await voices.speaksForAll()) voices.notification(news);
  } else if (elsewhere) voices.sound(conversation);
}
