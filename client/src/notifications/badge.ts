import { selectUnread } from "../sdk/store/selectors";
import type { Store } from "../sdk/store/store";

/** Keeps the number of unread messages on the icon of the installed app. */
export function showUnreadOnIcon(store: Store): void {
  if (!("setAppBadge" in navigator)) return;
  let shown: number | null = null;
  const show = () => {
    const { auth, listed } = store.get();
    // The number is unknown until the list is loaded; pushes may have shown a higher one.
    if (auth.kind === "starting" || (auth.kind === "active" && !listed)) return;
    const unread = selectUnread(store.get());
    if (unread === shown) return;
    shown = unread;
    // Fails if the app is not installed.
    void navigator.setAppBadge(unread).catch(() => {});
  };
  store.subscribe(show);
  show();
}
