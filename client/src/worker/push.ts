import { excerptOf } from "../format/excerpt";
import {
  dataOf,
  type News,
  showNotification,
  shownNotifications,
} from "../notifications/notification";
import {
  allOf,
  type NotificationPreferences,
  ONLY,
  openSnapshots,
  type SnapshotDatabase,
} from "../platform/snapshot-database";
import type { ConversationId, PushNotice } from "../sdk/protocol/generated";
import { scope } from "./scope";

/** A message came while the user has no connected tab on any device. */
export async function onPush(data: PushMessageData | null): Promise<void> {
  const notice = noticeOf(data);
  if (notice === null || (await isInView())) return;
  const database = await openSnapshots();
  try {
    await tell(database, notice);
  } finally {
    database.close();
  }
}

async function tell(database: SnapshotDatabase, notice: PushNotice): Promise<void> {
  const preferences = await database.get("wishes", ONLY);
  // Somebody else has logged in since, or nobody is logged in.
  if (preferences === undefined || preferences.user !== notice.user) return;
  const held = await database.get("chats", [notice.user, notice.conversation]);
  const read = held?.chat.members.find(({ user }) => user.id === notice.user)?.read ?? 0;
  if (notice.seq <= read) return;
  await showNotification(scope.registration, newsOf(notice), lookOf(preferences));
  await badge(database, preferences);
}

function newsOf({ conversation, seq, sender, excerpt, unread }: PushNotice): News {
  return { conversation, seq, from: sender.name, excerpt: excerptOf(excerpt), unread };
}

/** No page plays a sound here, so the notification does. */
function lookOf({ instead, sound }: NotificationPreferences) {
  return { instead, silent: !sound };
}

/** Shows the number of unread messages, as far as this browser knows, on the app's icon. */
async function badge(database: SnapshotDatabase, { user }: NotificationPreferences): Promise<void> {
  const unread = new Map<ConversationId, number>();
  for (const { chat } of await database.getAll("chats", allOf(user))) {
    unread.set(chat.id, chat.unread);
  }
  for (const notification of await shownNotifications(scope.registration)) {
    const data = dataOf(notification);
    if (data === null) continue;
    unread.set(data.conversation, Math.max(unread.get(data.conversation) ?? 0, data.unread));
  }
  const sum = [...unread.values()].reduce((all, count) => all + count, 0);
  await scope.navigator.setAppBadge?.(sum);
}

/** A visible tab is connected, or about to be, and shows the message itself. */
async function isInView(): Promise<boolean> {
  const tabs = await scope.clients.matchAll({ type: "window" });
  return tabs.some((tab) => tab.visibilityState === "visible");
}

/** The notice that the server has sent; `null` for anything else. */
function noticeOf(data: PushMessageData | null): PushNotice | null {
  try {
    const notice: PushNotice | undefined = data?.json();
    return typeof notice?.conversation === "string" && typeof notice.sender?.name === "string"
      ? notice
      : null;
  } catch {
    return null;
  }
}
