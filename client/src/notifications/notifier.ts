import { excerptOf } from "../format/excerpt";
import type { ConversationId } from "../sdk/protocol/generated";
import type { Message } from "../sdk/protocol/message";
import type { State } from "../sdk/store/state";
import type { News } from "./notification";

/** The ways to notify the user; those of a browser are in `channels.tsx`. */
export interface Channels {
  /** Shows a toast on the page, in place of an earlier one of the same conversation. */
  toast(news: News): void;
  /** Plays a sound if no tab shows the conversation. */
  sound(conversation: ConversationId): void;
  /** Shows a system notification, with its sound. */
  notification(news: News): void;
  /** Whether the page is visible. */
  isVisible(): boolean;
  /** Whether this tab, of all that are open, shows the system notifications. */
  speaksForAll(): Promise<boolean>;
}

/**
 * Notifies the user of a message of somebody else, unless they see it anyway. A message
 * that was `missed`, before the page was opened, only shows in the list of a visible page.
 */
export async function notifyOf(
  message: Message,
  missed: boolean,
  state: State,
  channels: Channels,
): Promise<void> {
  const sender = state.people.get(message.sender);
  if (sender === undefined) return;
  const { conversation, seq } = message;
  const unread = state.conversations.get(conversation)?.unread ?? 1;
  const news = { conversation, seq, from: sender.name, excerpt: excerptOf(message.body), unread };
  const elsewhere = state.open !== conversation && !missed;
  if (elsewhere) channels.toast(news);
  if (!channels.isVisible()) {
    if (await channels.speaksForAll()) channels.notification(news);
  } else if (elsewhere) channels.sound(conversation);
}
