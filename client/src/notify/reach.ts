import { startWorker } from "../platform/worker";
import type { Api } from "../sdk/engine/api";
import type { Store } from "../sdk/store/store";
import { showUnreadOnIcon } from "./badge";
import { closeWhatIsRead } from "./closing";
// What tells outside of the page must be there before a network is missing.
import "./outside";
import { followPush } from "./push";
import { tellWorker } from "./wishes";

/** Everything by which the page reaches its user while it is not in view. Loaded after it. */
export async function reach(store: Store, api: Api): Promise<void> {
  showUnreadOnIcon(store);
  tellWorker(store);
  await startWorker(store);
  const registration = await navigator.serviceWorker?.ready;
  if (registration === undefined) return;
  closeWhatIsRead(store, registration);
  followPush(store, api, registration);
}
