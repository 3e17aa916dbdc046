import { conversationTitle } from "../i18n/conversation-title";
import { partnerOf, selectMe, selectUnread, unreadText } from "../sdk/store/selectors";
import type { State } from "../sdk/store/state";
import type { Store } from "../sdk/store/store";

const NAME = "Tidings";

/** Keeps the title of the page up to date: the number of unread messages, and the open conversation. */
export function followTitle(store: Store): void {
  store.subscribe(() => {
    const state = store.get();
    const title = titleFor(selectUnread(state), inFront(state));
    if (document.title !== title) document.title = title;
  });
}

export function titleFor(unread: number, conversation: string | null): string {
  const title = conversation === null ? NAME : `${conversation} – ${NAME}`;
  return unread === 0 ? title : `(${unreadText(unread)}) ${title}`;
}

/** The title of the open conversation, once it is known. */
function inFront(state: State): string | null {
  const [me, conversation] = [
    selectMe(state),
    state.open === null ? undefined : state.conversations.get(state.open),
  ];
  const partner =
    me !== null && conversation !== undefined ? partnerOf(conversation, me.id)?.user : undefined;
  return me !== null && partner !== undefined ? conversationTitle(partner, me) : null;
}
