import { useSyncExternalStore } from "react";
import { type Api, ApiError } from "../sdk/connection/api";
import { Listeners } from "../sdk/store/listeners";
import type { Store } from "../sdk/store/store";
import { notifying, onNotifying } from "./permission";

/** Whether this browser is notified of messages while no page is open, too. */
let subscribed = false;
const listeners = new Listeners();

/**
 * Subscribes to pushes while somebody is logged in who wants notifications, and
 * unsubscribes otherwise. If the browser, its push service or the server does not
 * support pushes, notifications come from open pages only.
 */
export function followPush(store: Store, api: Api, registration: ServiceWorkerRegistration): void {
  if (!("pushManager" in registration)) return;
  let followed: boolean | null = null;
  // One after the other, in the order in which the user changed it.
  let last = Promise.resolve();
  const follow = () => {
    const { auth, link } = store.get();
    const wanted = auth.kind === "active" && notifying() === "on";
    if (wanted === followed || auth.kind === "starting" || (wanted && link !== "open")) return;
    followed = wanted;
    last = last.then(() =>
      wanted ? subscribe(api, registration) : unsubscribe(api, registration),
    );
  };
  store.subscribe(follow);
  onNotifying(follow);
  follow();
}

export function usePushSubscribed(): boolean {
  return useSyncExternalStore(listeners.add, () => subscribed);
}

async function subscribe(api: Api, { pushManager }: ServiceWorkerRegistration): Promise<void> {
  try {
    const { public_key: key } = await api.pushKey();
    if (key === null) return;
    const held = await pushManager.getSubscription();
    const fits = held !== null && keyOf(held) === key;
    if (held !== null && !fits) await held.unsubscribe();
    const options = { userVisibleOnly: true, applicationServerKey: key };
    const subscription = fits ? held : await pushManager.subscribe(options);
    await api.subscribe(subscription.toJSON());
    change(true);
  } catch (error) {
    ignoreRefusal(error);
  }
}

async function unsubscribe(api: Api, { pushManager }: ServiceWorkerRegistration): Promise<void> {
  change(false);
  try {
    const held = await pushManager.getSubscription();
    if (held === null) return;
    await held.unsubscribe();
    await api.unsubscribe();
  } catch (error) {
    ignoreRefusal(error);
  }
}

/** There are no pushes if the server cannot be reached or the browser has no push service. */
function ignoreRefusal(error: unknown): void {
  if (!(error instanceof ApiError || error instanceof DOMException)) throw error;
}

/** In base64url, as the server gives it. */
function keyOf({ options }: PushSubscription): string | null {
  const key = options.applicationServerKey;
  if (key === null) return null;
  const text = btoa(String.fromCharCode(...new Uint8Array(key)));
  return text.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

function change(next: boolean): void {
  subscribed = next;
  listeners.tell();
}
