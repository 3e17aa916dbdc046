import { startWorker } from "../platform/service-worker";
import type { Api } from "../sdk/connection/api";
import type { Store } from "../sdk/store/store";
import { showUnreadOnIcon } from "./badge";
import { closeReadNotifications } from "./close-read";
// Loaded now, since it must work when the network is gone.
import "./system-notifications";
import { followPush } from "./push";
import { storeForWorker } from "./worker-preferences";

/** Starts everything that works while the page is not visible. Loaded after the page. */
export async function startBackground(store: Store, api: Api): Promise<void> {
  showUnreadOnIcon(store);
  storeForWorker(store);
  await startWorker(store);
  const registration = await navigator.serviceWorker?.ready;
  if (registration === undefined) return;
  closeReadNotifications(store, registration);
  followPush(store, api, registration);
}
