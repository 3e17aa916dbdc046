import type { UserId } from "../protocol/generated";
import type { State } from "./state";

/** The user has chosen, on this device or another, whether others can see them. */
export function withVisibility(state: State, invisible: boolean): State {
  const { auth } = state;
  if (auth.kind !== "active" || auth.invisible === invisible) return state;
  return { ...state, auth: { ...auth, invisible } };
}

/** Notes when users were last seen; a time earlier than the known one is ignored. */
export function withLastSeen(state: State, seen: readonly (readonly [UserId, string])[]): State {
  const later = seen.filter(([user, at]) => at > (state.lastSeen.get(user) ?? ""));
  if (later.length === 0) return state;
  return { ...state, lastSeen: new Map([...state.lastSeen, ...later]) };
}

/** Forgets that these users were typing, in all conversations. */
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
