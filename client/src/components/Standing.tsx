import { useEffect, useState } from "react";
import type { User, UserId } from "../sdk/protocol/generated";
import { lastSeenOf, type Status, statusOf } from "../sdk/store/selectors";
import { text } from "../text/text";
import { isRecent, timeAgo } from "./time";
import { useSelect } from "./use-app";
import { useLost } from "./use-lost";

/** How often what is told in minutes is told anew. */
const REFRESH_MS = 20_000;

/** How somebody stands, as far as that is known now. */
export function useStatus(user: UserId): Status {
  const status = useSelect((state) => statusOf(state.presence, user));
  return useLost() ? "unknown" : status;
}

/** In words: here, away, or when somebody was here last. */
export function Standing({ user }: { readonly user: User }) {
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

/** The time, told again as it passes. */
function useNow(): Date {
  const [now, setNow] = useState(() => new Date());
  useEffect(() => {
    const timer = setInterval(() => setNow(new Date()), REFRESH_MS);
    return () => clearInterval(timer);
  }, []);
  return now;
}
