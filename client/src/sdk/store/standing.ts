import type { UserId } from "../protocol/generated";
import type { State } from "./state";

/** What the user has chosen to be to others, on this device or another. */
export function withVisibility(state: State, invisible: boolean): State {
  const { stage } = state;
  if (stage.kind !== "active" || stage.invisible === invisible) return state;
  return { ...state, stage: { ...stage, invisible } };
}

/** When people were last here; an earlier time is old news. */
export function withLastSeen(state: State, seen: readonly (readonly [UserId, string])[]): State {
  const later = seen.filter(([user, at]) => at > (state.lastSeen.get(user) ?? ""));
  if (later.length === 0) return state;
  return { ...state, lastSeen: new Map([...state.lastSeen, ...later]) };
}

/** Forgets that these people are writing, wherever they were. */
export function withoutWriters(state: State, users: readonly UserId[]): State {
  const gone = new Set(users);
  const writes = (writers: ReadonlyMap<UserId, number>) =>
    [...writers.keys()].some((user) => gone.has(user));
  const touched = [...state.typing].filter(([, writers]) => writes(writers));
  if (touched.length === 0) return state;
  const typing = new Map(state.typing);
  for (const [conversation, writers] of touched) {
    typing.set(conversation, new Map([...writers].filter(([user]) => !gone.has(user))));
  }
  return { ...state, typing };
}
