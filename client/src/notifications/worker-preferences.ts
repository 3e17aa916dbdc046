import { wantsSound } from "../platform/preferences";
import { type NotificationPreferences, ONLY, openSnapshots } from "../platform/snapshot-database";
import { selectMe } from "../sdk/store/selectors";
import type { Store } from "../sdk/store/store";
import { onNotifying } from "./permission";
import { instead } from "./system-notifications";

/**
 * Stores the notification preferences where the service worker can read them. A
 * log-out clears them with everything else of the user.
 */
export function storeForWorker(store: Store): void {
  let told = "";
  const tell = () => {
    const me = selectMe(store.get());
    if (me === null) {
      told = "";
      return;
    }
    const preferences: NotificationPreferences = {
      user: me.id,
      instead: instead(),
      sound: wantsSound(),
    };
    const telling = JSON.stringify(preferences);
    if (telling === told) return;
    told = telling;
    void put(preferences).catch(() => {});
  };
  store.subscribe(tell);
  onNotifying(tell);
  tell();
}

async function put(preferences: NotificationPreferences): Promise<void> {
  const database = await openSnapshots();
  await database.put("wishes", preferences, ONLY);
  database.close();
}
