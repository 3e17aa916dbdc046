import { markOf } from "../notify/notification";
import { addressOf } from "../platform/address";
import type { ToPage } from "../platform/worker-words";
import { scope } from "./scope";

/** Brings the conversation of a notification to the front, in a page that is open or in a new one. */
export async function onClick(notification: Notification): Promise<void> {
  notification.close();
  const mark = markOf(notification);
  const pages = await scope.clients.matchAll({ type: "window", includeUncontrolled: true });
  const page = pages.find(({ focused }) => focused) ?? pages[0];
  if (page === undefined) {
    await scope.clients.openWindow(`/${addressOf(mark?.conversation ?? null)}`);
    return;
  }
  if (mark !== null) {
    const word: ToPage = { type: "open", conversation: mark.conversation };
    page.postMessage(word);
  }
  await page.focus();
}
