import type { EngineEvent, StateStore } from "../engine/model";
import { Listeners } from "./listeners";
import { reduce } from "./reduce";
import { INITIAL, type State } from "./state";

export interface Store extends StateStore {
  get(): State;
  /** Calls back after every change; the answer ends that. */
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
