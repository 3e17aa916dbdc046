import type { ConversationId } from "../sdk/protocol/generated";

/** A message to tell of, where its conversation is not in view. */
export interface News {
  readonly conversation: ConversationId;
  readonly seq: number;
  /** The name of who wrote. */
  readonly from: string;
  readonly excerpt: string;
  /** Unread messages of that conversation, with this one. */
  readonly unread: number;
}

/** What a notification carries, for whoever finds it later. */
export type Mark = Pick<News, "conversation" | "seq" | "unread">;

export interface Look {
  /** Shown instead of the text, which is hidden; `null`: the text is shown. */
  readonly instead: string | null;
  readonly silent: boolean;
}

/**
 * Shows it in the one notification of its conversation, unless that tells of
 * this message already, or of a later one: a page and a push may both know.
 */
export async function showNotification(
  registration: ServiceWorkerRegistration,
  news: News,
  look: Look,
): Promise<void> {
  const shown = await registration.getNotifications({ tag: news.conversation });
  if (shown.some((notification) => (markOf(notification)?.seq ?? 0) >= news.seq)) return;
  await registration.showNotification(news.from, optionsOf(news, look));
}

export function optionsOf(news: News, { instead, silent }: Look): NotificationOptions {
  const { conversation, seq, unread, excerpt } = news;
  const mark: Mark = { conversation, seq, unread };
  // What the types do not know yet is known to browsers.
  const further = { renotify: true };
  return {
    ...further,
    body: instead ?? excerpt,
    tag: conversation,
    icon: "/icons/192.png",
    badge: "/icons/badge.png",
    silent,
    data: mark,
  };
}

/** What a notification of ours carries. */
export function markOf(notification: Notification): Mark | null {
  const data: unknown = notification.data;
  return typeof data === "object" && data !== null && "conversation" in data && "seq" in data
    ? (data as Mark)
    : null;
}

/** Closes those of messages that have been read; `readOf` tells how far a conversation is. */
export async function closeRead(
  registration: ServiceWorkerRegistration,
  readOf: (conversation: ConversationId) => number,
): Promise<void> {
  for (const notification of await registration.getNotifications()) {
    const mark = markOf(notification);
    if (mark !== null && mark.seq <= readOf(mark.conversation)) notification.close();
  }
}
