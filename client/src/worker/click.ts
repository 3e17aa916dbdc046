import { dataOf } from "../notifications/notification";
import { addressOf } from "../platform/address";
import type { ToPage } from "../platform/worker-messages";
import { scope } from "./scope";

/** Opens the conversation of a notification, in an open tab or in a new one. */
export async function onClick(notification: Notification): Promise<void> {
  notification.close();
  const data = dataOf(notification);
  const tabs = await scope.clients.matchAll({ type: "window", includeUncontrolled: true });
  const tab = tabs.find(({ focused }) => focused) ?? tabs[0];
  if (tab === undefined) {
    await scope.clients.openWindow(`/${addressOf(data?.conversation ?? null)}`);
    return;
  }
  if (data !== null) {
    const word: ToPage = { type: "open", conversation: data.conversation };
    tab.postMessage(word);
  }
  await tab.focus();
}
