import { useSyncExternalStore } from "react";
import type { Announcements } from "../notifications/announcements";

/** The live region for screen readers, which must exist before anything is announced in it. */
export function LiveRegion({ announcements }: { readonly announcements: Announcements }) {
  const { number, says } = useSyncExternalStore(announcements.subscribe, announcements.get);
  return (
    <div role="status" aria-live="polite" className="sr-only" data-testid="announcements">
      <p key={number}>{says}</p>
    </div>
  );
}
