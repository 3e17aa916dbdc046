import type { EngineEvent, StateStore } from "../engine/model";
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
  const listeners = new Set<() => void>();
  return {
    get: () => state,
    dispatch(event: EngineEvent) {
      const next = reduce(state, event);
      if (next === state) return;
      state = next;
      for (const listener of listeners) listener();
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
