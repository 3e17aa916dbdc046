import { selectUnread } from "../sdk/store/selectors";
import type { Store } from "../sdk/store/store";

/** Keeps the number of unread messages on the icon of the installed app. */
export function showUnreadOnIcon(store: Store): void {
  if (!("setAppBadge" in navigator)) return;
  let shown: number | null = null;
  const show = () => {
    const { stage, listed } = store.get();
    // Before the list has come it is not known, and pushes may have told of more.
    if (stage.kind === "starting" || (stage.kind === "active" && !listed)) return;
    const unread = selectUnread(store.get());
    if (unread === shown) return;
    shown = unread;
    // Without an icon there is nothing to show it on.
    void navigator.setAppBadge(unread).catch(() => {});
  };
  store.subscribe(show);
  show();
}
