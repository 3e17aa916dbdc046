import { memo } from "react";
import type { User } from "../sdk/protocol/generated";
import type { Status } from "../sdk/store/selectors";
import { text } from "../text/text";
import { Avatar } from "./Avatar";
import { RowsSkeleton } from "./Skeleton";
import { useSelect } from "./use-app";
import { useLost, useTold } from "./use-lost";
import { useOnlinePeople } from "./use-people";
import { useTalk } from "./use-talk";

const NEAR_END = 200;

interface Props {
  readonly me: User;
  /** The beginning or, among few, any part of the name of who is looked for. */
  readonly search: string;
}

/** Everyone who is here now. */
export function PeopleList({ me, search }: Props) {
  const { users, count, more } = useOnlinePeople(search);
  const talk = useTalk(me);
  const lost = useLost();
  const away = useSelect((state) => state.presence.away);
  const told = useTold();
  return (
    <section
      aria-label={text.people.label}
      className="flex min-h-0 flex-[2] flex-col border-t border-line"
    >
      <h2 className="flex items-baseline gap-2 px-4 pt-3 pb-1 text-xs font-semibold tracking-wide text-soft uppercase">
        {text.people.title}
        <span data-testid="online-count">{told ? count : "–"}</span>
      </h2>
      <ul
        className="min-h-0 flex-1 overflow-y-auto px-2 pb-2"
        data-testid="people-list"
        onScroll={(event) => {
          const { scrollHeight, scrollTop, clientHeight } = event.currentTarget;
          if (scrollHeight - scrollTop - clientHeight < NEAR_END) more();
        }}
      >
        {users?.map((user) => (
          <PersonRow
            key={user.id}
            user={user}
            own={user.id === me.id}
            status={lost ? "unknown" : away.has(user.id) ? "away" : "online"}
            onTalk={talk}
          />
        ))}
        {users === null && !lost && <RowsSkeleton rows={3} />}
        {users === null && lost && <Hint>{text.people.lost}</Hint>}
        {users?.length === 0 && told && (
          <Hint>{search === "" ? text.people.nobody : text.people.nobodyOfThatName}</Hint>
        )}
      </ul>
    </section>
  );
}

function Hint({ children }: { readonly children: string }) {
  return <li className="px-2 py-2 text-sm text-soft">{children}</li>;
}

interface RowProps {
  readonly user: User;
  readonly own: boolean;
  readonly status: Status;
  readonly onTalk: (user: User) => void;
}

const PersonRow = memo(function PersonRow({ user, own, status, onTalk }: RowProps) {
  return (
    <li>
      <button
        type="button"
        disabled={own}
        onClick={() => onTalk(user)}
        data-testid="person"
        data-name={user.name}
        className="flex w-full items-center gap-3 rounded-xl px-2 py-1.5 text-left -outline-offset-2 enabled:hover:bg-raised disabled:opacity-100"
      >
        <Avatar user={user} status={status} />
        <span className="min-w-0 flex-1 truncate">
          <bdi>{user.name}</bdi>
        </span>
        {status === "away" && <span className="text-xs text-soft">{text.presence.away}</span>}
        {own && <span className="text-xs text-soft">{text.people.own}</span>}
      </button>
    </li>
  );
});
