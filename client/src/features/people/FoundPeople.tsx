import { useMemo } from "react";
import { text } from "../../i18n/i18n";
import type { User } from "../../sdk/protocol/generated";
import { statusOf } from "../../sdk/store/selectors";
import { RowsSkeleton } from "../../ui/Skeleton";
import { useSelect } from "../../ui/use-app";
import { useDisconnected } from "../../ui/use-disconnected";
import { useRows } from "../../ui/use-rows";
import { Hint, PersonRow } from "./PersonRow";
import type { Candidate } from "./ranking";
import { statusAsFound, useCandidates } from "./use-candidates";
import { useOpenConversation } from "./use-open-conversation";
import { useWatched } from "./use-people";

/** So many are offered; who is not among them is found with one more letter. */
const OFFERED = 50;

interface Props {
  readonly me: User;
  readonly search: string;
  /** Whether conversations were found, too, which are above. */
  readonly besides: boolean;
}

/** The users that a search finds besides conversations, online or not. */
export function FoundPeople({ me, search, besides }: Props) {
  const { candidates, searching } = useCandidates(me, search, OFFERED, isStranger);
  const presence = useSelect((state) => state.presence);
  const disconnected = useDisconnected();
  const openConversation = useOpenConversation(me);
  const { list, stopOf } = useRows<HTMLUListElement>();
  const stop = stopOf(candidates.map(({ user }) => user.id));
  useWatched(useMemo(() => candidates.map(({ user }) => user), [candidates]));
  const none = candidates.length === 0 && !searching;
  if (none && besides) return null;
  return (
    <section aria-label={text.people.found} className={besides ? "border-t border-line" : ""}>
      <h2 className="px-4 pt-3 pb-2 text-xs font-semibold tracking-wide text-soft uppercase">
        {text.people.found}
      </h2>
      <ul {...list} className="px-2 pb-2" data-testid="people-found">
        {candidates.map((candidate) => {
          const { user } = candidate;
          const status = statusAsFound(statusOf(presence, user.id), candidate);
          return (
            <PersonRow
              key={user.id}
              user={user}
              own={user.id === me.id}
              status={disconnected ? "unknown" : status}
              stop={user.id === stop}
              onOpen={openConversation}
            />
          );
        })}
        {none && <Hint>{text.people.noneFound}</Hint>}
        {candidates.length === 0 && searching && <RowsSkeleton rows={1} />}
      </ul>
    </section>
  );
}

/** Users with a conversation are in the list above. */
const isStranger = ({ conversation }: Candidate) => conversation === null;
