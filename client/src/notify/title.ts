import { selectUnread, unreadText } from "../sdk/store/selectors";
import type { Store } from "../sdk/store/store";

const NAME = "Tidings";

/** Keeps the number of unread messages in the title of the page. */
export function showUnreadInTitle(store: Store): void {
  store.subscribe(() => {
    const title = titleFor(selectUnread(store.get()));
    if (document.title !== title) document.title = title;
  });
}

export function titleFor(unread: number): string {
  if (unread === 0) return NAME;
  return `(${unreadText(unread)}) ${NAME}`;
}
