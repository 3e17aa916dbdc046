import type { ConversationId, UserId } from "../sdk/protocol/generated";
import { Listeners } from "../sdk/store/listeners";
import { guarded, read, write } from "./local-storage";

/** Drafts of each user and conversation, in `localStorage`. The keys must not change. */
const DRAFT = "tidings.draft.";

const listeners = new Listeners();

/** What was being typed in a conversation. */
export function readDraft(user: UserId, conversation: ConversationId): string {
  return read(`${DRAFT}${user}.${conversation}`) ?? "";
}

export function writeDraft(user: UserId, conversation: ConversationId, text: string): void {
  write(`${DRAFT}${user}.${conversation}`, text === "" ? null : text);
  listeners.tell();
}

/** Calls back after every change of a draft, in any tab. Returns an unsubscribe function. */
export function onDrafts(listener: () => void): () => void {
  const onStorage = ({ key }: StorageEvent) => {
    if (key === null || key.startsWith(DRAFT)) listener();
  };
  window.addEventListener("storage", onStorage);
  const end = listeners.add(listener);
  return () => {
    end();
    window.removeEventListener("storage", onStorage);
  };
}

/** Calls back with a draft that another tab has changed. Returns an unsubscribe function. */
export function onDraft(
  user: UserId,
  conversation: ConversationId,
  heard: (text: string) => void,
): () => void {
  const onStorage = ({ key, newValue }: StorageEvent) => {
    if (key === `${DRAFT}${user}.${conversation}`) heard(newValue ?? "");
  };
  window.addEventListener("storage", onStorage);
  return () => window.removeEventListener("storage", onStorage);
}

/** Forgets all drafts of a user, when they log out. */
export function clearDrafts(user: UserId): void {
  guarded(() => {
    for (const key of Object.keys(localStorage)) {
      if (key.startsWith(`${DRAFT}${user}.`)) localStorage.removeItem(key);
    }
  });
}

/** In how many conversations a user has a draft. */
export function draftCount(user: UserId): number {
  const own = (key: string) => key.startsWith(`${DRAFT}${user}.`);
  return guarded(() => Object.keys(localStorage).filter(own).length) ?? 0;
}
