import { excerptOf } from "../format/excerpt";
import { markOf, type News, showNotification } from "../notify/notification";
import {
  allOf,
  type KeptDatabase,
  ONLY,
  openKept,
  type WorkerWishes,
} from "../platform/kept-database";
import type { ConversationId, PushNotice } from "../sdk/protocol/generated";
import { scope } from "./scope";

/** A message while the user has no page that is connected, on any device. */
export async function onPush(data: PushMessageData | null): Promise<void> {
  const notice = noticeOf(data);
  if (notice === null || (await isInView())) return;
  const database = await openKept();
  try {
    await tell(database, notice);
  } finally {
    database.close();
  }
}

async function tell(database: KeptDatabase, notice: PushNotice): Promise<void> {
  const wishes = await database.get("wishes", ONLY);
  // Somebody else has logged in since, or nobody is.
  if (wishes === undefined || wishes.user !== notice.user) return;
  const held = await database.get("chats", [notice.user, notice.conversation]);
  const read = held?.chat.members.find(({ user }) => user.id === notice.user)?.read ?? 0;
  if (notice.seq <= read) return;
  await showNotification(scope.registration, newsOf(notice), lookOf(wishes));
  await badge(database, wishes);
}

function newsOf({ conversation, seq, sender, excerpt, unread }: PushNotice): News {
  return { conversation, seq, from: sender.name, excerpt: excerptOf(excerpt), unread };
}

/** A page that is not there plays no sound of its own. */
function lookOf({ instead, sound }: WorkerWishes) {
  return { instead, silent: !sound };
}

/** The unread of all conversations, as far as this browser knows, on the app's icon. */
async function badge(database: KeptDatabase, { user }: WorkerWishes): Promise<void> {
  const unread = new Map<ConversationId, number>();
  for (const { chat } of await database.getAll("chats", allOf(user))) {
    unread.set(chat.id, chat.unread);
  }
  for (const notification of await scope.registration.getNotifications()) {
    const mark = markOf(notification);
    if (mark === null) continue;
    unread.set(mark.conversation, Math.max(unread.get(mark.conversation) ?? 0, mark.unread));
  }
  const sum = [...unread.values()].reduce((all, count) => all + count, 0);
  await scope.navigator.setAppBadge?.(sum);
}

/** A page in view is connected, or about to be, and tells by itself. */
async function isInView(): Promise<boolean> {
  const pages = await scope.clients.matchAll({ type: "window" });
  return pages.some((page) => page.visibilityState === "visible");
}

/** What the server has sent; anything else is none of ours. */
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
