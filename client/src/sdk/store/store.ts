import type { EngineEvent } from "./events";
import { Listeners } from "./listeners";
import { reduce } from "./reduce";
import { INITIAL, type State } from "./state";

/** Where the state lives; the engine never keeps a copy. */
export interface StateStore {
  get(): State;
  dispatch(event: EngineEvent): void;
}

export interface Store extends StateStore {
  /** Calls back after every change. Returns an unsubscribe function. */
  subscribe(listener: () => void): () => void;
}

/** The one store of the page. */
export function createStore(): Store {
  let state = INITIAL;
  const listeners = new Listeners();
  return {
    get: () => state,
    dispatch(event: EngineEvent) {
      const next = reduce(state, event);
      if (next === state) return;
      state = next;
      listeners.tell();
    },
    subscribe: listeners.add,
  };
}
