import { useMemo } from "react";
import { conversationTitle } from "../../i18n/conversation-title";
import type { User } from "../../sdk/protocol/generated";
import type { Status } from "../../sdk/store/selectors";
import { useSelect } from "../../ui/use-app";
import { type Candidate, candidatesOf, ranked } from "./ranking";
import { useFoundPeople } from "./use-found-people";

interface Candidates {
  /** The best first. */
  readonly candidates: readonly Candidate[];
  /** Whether the server has not answered this search yet. */
  readonly searching: boolean;
}

/** At most `most` users whose names match a search, of those that `counts` accepts. */
export function useCandidates(
  me: User,
  search: string,
  most: number,
  counts: (candidate: Candidate) => boolean,
): Candidates {
  const conversations = useSelect((state) => state.conversations);
  const presence = useSelect((state) => state.presence);
  const { users, searching } = useFoundPeople(search.trim());
  const candidates = useMemo(() => {
    const all = candidatesOf(conversations.values(), presence, users, me).filter(counts);
    return ranked(all, search, (user) => conversationTitle(user, me)).slice(0, most);
  }, [conversations, presence, users, me, search, most, counts]);
  return { candidates, searching };
}

/** The status of a candidate; the search knows that of users this page does not watch. */
export function statusAsFound(status: Status, { online }: Candidate): Status {
  return status === "offline" && online ? "online" : status;
}
