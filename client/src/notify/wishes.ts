import { wantsSound } from "../platform/kept";
import { ONLY, openKept, type WorkerWishes } from "../platform/kept-database";
import { selectMe } from "../sdk/store/selectors";
import type { Store } from "../sdk/store/store";
import { instead } from "./outside";
import { onNotifying } from "./permission";

/**
 * Keeps what the service worker must know where it can read it. Log-out clears
 * it with everything else of the user.
 */
export function tellWorker(store: Store): void {
  let told = "";
  const tell = () => {
    const me = selectMe(store.get());
    if (me === null) {
      told = "";
      return;
    }
    const wishes: WorkerWishes = { user: me.id, instead: instead(), sound: wantsSound() };
    const telling = JSON.stringify(wishes);
    if (telling === told) return;
    told = telling;
    void put(wishes).catch(() => {});
  };
  store.subscribe(tell);
  onNotifying(tell);
  tell();
}

async function put(wishes: WorkerWishes): Promise<void> {
  const database = await openKept();
  await database.put("wishes", wishes, ONLY);
  database.close();
}
