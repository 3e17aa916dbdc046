import { createContext, use, useSyncExternalStore } from "react";
import type { Engine } from "../sdk/engine/engine";
import type { State } from "../sdk/store/state";
import type { Store } from "../sdk/store/store";

/** What a user can do: the part of the engine that components know. */
export type Commands = Pick<
  Engine,
  | "session"
  | "openWith"
  | "searchPeople"
  | "findPeople"
  | "loadOlder"
  | "loadNewer"
  | "loadAround"
  | "loadMoreConversations"
  | "write"
  | "pin"
  | "pinnedPage"
  | "retry"
  | "discard"
  | "typing"
  | "seen"
  | "atEnd"
  | "watch"
  | "hurry"
  | "reconnect"
>;

export interface AppContextValue {
  readonly store: Store;
  readonly commands: Commands;
}

export const AppContext = createContext<AppContextValue | null>(null);

function useApp(): AppContextValue {
  const app = use(AppContext);
  if (app === null) throw new Error("the page is not inside AppContext");
  return app;
}

export function useCommands(): Commands {
  return useApp().commands;
}

/** Reads the current state in event handlers, without rendering again when it changes. */
export function usePeek(): () => State {
  return useApp().store.get;
}

/** A part of the state; `select` must give the same value for the same state. */
export function useSelect<T>(select: (state: State) => T): T {
  const { store } = useApp();
  return useSyncExternalStore(store.subscribe, () => select(store.get()));
}
