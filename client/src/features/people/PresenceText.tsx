import { useEffect, useState } from "react";
import { text } from "../../i18n/i18n";
import { isRecent, timeAgo } from "../../i18n/time";
import type { User, UserId } from "../../sdk/protocol/generated";
import { lastSeenOf, type Status, statusOf } from "../../sdk/store/selectors";
import { useSelect } from "../../ui/use-app";
import { useDisconnected } from "../../ui/use-disconnected";

/** How often a time that is shown in minutes is updated. */
const REFRESH_MS = 20_000;

/** The presence of a user; `unknown` while this page is disconnected. */
export function useStatus(user: UserId): Status {
  const status = useSelect((state) => statusOf(state.presence, user));
  return useDisconnected() ? "unknown" : status;
}

/** The presence of a user in words: online, away, or when they were last seen. */
export function PresenceText({ user }: { readonly user: User }) {
  const status = useStatus(user.id);
  const seen = useSelect((state) => lastSeenOf(state, user.id));
  if (status === "unknown") return null;
  if (status === "offline" && seen !== null) return <LastSeen at={seen} />;
  return status === "offline" ? text.presence.gone : text.presence[status];
}

function LastSeen({ at }: { readonly at: string }) {
  const now = useNow();
  return (
    <time dateTime={at}>
      {isRecent(at, now) ? text.presence.seenJustNow : text.presence.seen(timeAgo(at, now))}
    </time>
  );
}

/** The current time, updated as it passes. */
function useNow(): Date {
  const [now, setNow] = useState(() => new Date());
  useEffect(() => {
    const timer = setInterval(() => setNow(new Date()), REFRESH_MS);
    return () => clearInterval(timer);
  }, []);
  return now;
}
