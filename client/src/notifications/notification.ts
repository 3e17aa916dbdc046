import type { ConversationId } from "../sdk/protocol/generated";

/** A message to notify of. */
export interface News {
  readonly conversation: ConversationId;
  readonly seq: number;
  /** The name of the sender. */
  readonly from: string;
  readonly excerpt: string;
  /** The number of unread messages in the conversation, including this one. */
  readonly unread: number;
}

/** The `data` of a notification, by which it is recognised later. */
export type NotificationData = Pick<News, "conversation" | "seq" | "unread">;

export interface Look {
  /** Shown instead of the text, which is hidden; `null`: the text is shown. */
  readonly instead: string | null;
  readonly silent: boolean;
}

/**
 * Whoever shows or lists notifications holds this lock, in every tab and in the service worker.
 * Chromium takes a notification that is listed while it is on its way to the screen for one that
 * was closed, and never lists it again: it could not be closed or replaced any more.
 */
export const NOTIFICATIONS_LOCK = "tidings-notifications";

/**
 * Shows a message in the one notification of its conversation, unless that shows
 * it, or a later one, already: a page and a push may both bring it.
 */
export async function showNotification(
  registration: ServiceWorkerRegistration,
  news: News,
  look: Look,
): Promise<void> {
  await alone(async () => {
    const shown = await registration.getNotifications({ tag: news.conversation });
    if (shown.some((notification) => (dataOf(notification)?.seq ?? 0) >= news.seq)) return;
    await registration.showNotification(news.from, optionsOf(news, look));
  });
}

/** The notifications that are shown now. */
export function shownNotifications(registration: ServiceWorkerRegistration) {
  return alone(() => registration.getNotifications());
}

/** Does something under the lock; at once in a browser that has no locks, or refuses them. */
async function alone<T>(work: () => Promise<T>): Promise<T> {
  let begun = false;
  const begin = () => {
    begun = true;
    return work();
  };
  try {
    return await navigator.locks.request(NOTIFICATIONS_LOCK, begin);
  } catch (error) {
    if (begun) throw error;
    return begin();
  }
}

export function optionsOf(news: News, { instead, silent }: Look): NotificationOptions {
  const { conversation, seq, unread, excerpt } = news;
  const data: NotificationData = { conversation, seq, unread };
  // Browsers know this option, the types do not yet.
  const further = { renotify: true };
  return {
    ...further,
    body: instead ?? excerpt,
    tag: conversation,
    icon: "/icons/192.png",
    badge: "/icons/badge.png",
    silent,
    data,
  };
}

/** The data of a notification, if the client made it. */
export function dataOf(notification: Notification): NotificationData | null {
  const data: unknown = notification.data;
  return typeof data === "object" && data !== null && "conversation" in data && "seq" in data
    ? (data as NotificationData)
    : null;
}

/** Closes the notifications of messages that have been read; `readOf` returns a read position. */
export async function closeRead(
  registration: ServiceWorkerRegistration,
  readOf: (conversation: ConversationId) => number,
): Promise<void> {
  for (const notification of await shownNotifications(registration)) {
    const data = dataOf(notification);
    if (data !== null && data.seq <= readOf(data.conversation)) notification.close();
  }
}
