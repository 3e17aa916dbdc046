import { scope } from "./scope";

/** The browser has replaced the push subscription: sends the new one to the server. */
export async function renew(event: Event): Promise<void> {
  const { oldSubscription, newSubscription } = event as PushSubscriptionChangeEvent;
  const subscription = newSubscription ?? (await again(oldSubscription));
  await fetch("/api/push/subscription", {
    method: "PUT",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(subscription),
  });
}

function again(old: PushSubscription | null): Promise<PushSubscription> {
  const { pushManager } = scope.registration;
  const applicationServerKey = old?.options.applicationServerKey ?? null;
  return pushManager.subscribe({ userVisibleOnly: true, applicationServerKey });
}

/** Not in the types yet (Push API §7). */
interface PushSubscriptionChangeEvent extends Event {
  readonly newSubscription: PushSubscription | null;
  readonly oldSubscription: PushSubscription | null;
}
