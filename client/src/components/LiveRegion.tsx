import { useSyncExternalStore } from "react";
import type { Announcements } from "../notify/announcements";

/** Where screen readers hear what is new; there before anything is said in it. */
export function LiveRegion({ announcements }: { readonly announcements: Announcements }) {
  const { number, says } = useSyncExternalStore(announcements.subscribe, announcements.get);
  return (
    <div role="status" aria-live="polite" className="sr-only" data-testid="announcements">
      <p key={number}>{says}</p>
    </div>
  );
}
