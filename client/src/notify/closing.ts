import type { State } from "../sdk/store/state";
import type { Store } from "../sdk/store/store";
import { closeRead } from "./notification";

/** Takes notifications away once their messages have been read, on whatever device. */
export function closeWhatIsRead(store: Store, registration: ServiceWorkerRegistration): void {
  let state: State | null = null;
  const look = () => {
    const before = state;
    state = store.get();
    if (state.chats !== before?.chats || state.stage !== before.stage) close(state, registration);
  };
  store.subscribe(look);
  look();
}

function close({ stage, chats }: State, registration: ServiceWorkerRegistration): void {
  if (stage.kind === "starting") return;
  if (stage.kind === "anonymous") {
    void closeRead(registration, () => Number.POSITIVE_INFINITY);
    return;
  }
  void closeRead(registration, (conversation) => {
    const own = chats.get(conversation)?.members.find(({ user }) => user.id === stage.me.id);
    return own?.read ?? 0;
  });
}
