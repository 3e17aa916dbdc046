import type { State } from "../sdk/store/state";
import type { Store } from "../sdk/store/store";
import { closeRead } from "./notification";

/** Closes notifications once their messages have been read, on any device. */
export function closeReadNotifications(
  store: Store,
  registration: ServiceWorkerRegistration,
): void {
  let state: State | null = null;
  const look = () => {
    const before = state;
    state = store.get();
    if (state.conversations !== before?.conversations || state.auth !== before.auth)
      close(state, registration);
  };
  store.subscribe(look);
  look();
}

function close({ auth, conversations }: State, registration: ServiceWorkerRegistration): void {
  if (auth.kind === "starting") return;
  if (auth.kind === "anonymous") {
    void closeRead(registration, () => Number.POSITIVE_INFINITY);
    return;
  }
  void closeRead(registration, (conversation) => {
    const own = conversations.get(conversation)?.members.find(({ user }) => user.id === auth.me.id);
    return own?.read ?? 0;
  });
}
