import { memo, type ReactNode } from "react";
import { text } from "../../i18n/i18n";
import type { User } from "../../sdk/protocol/generated";
import type { Status } from "../../sdk/store/selectors";
import { Avatar } from "../../ui/Avatar";

interface Props {
  readonly user: User;
  readonly own: boolean;
  readonly status: Status;
  /** Whether it is the one of its list that Tab leads to. */
  readonly stop: boolean;
  readonly onOpen: (user: User) => void;
}

/** Somebody with whom there is no conversation yet; a click opens one. */
export const PersonRow = memo(function PersonRow({ user, own, status, stop, onOpen }: Props) {
  const gone = status === "offline";
  return (
    <li>
      <button
        type="button"
        onClick={() => onOpen(user)}
        tabIndex={stop ? 0 : -1}
        data-row={user.id}
        data-testid="person"
        data-name={user.name}
        className="flex h-12 w-full items-center gap-3 rounded-xl px-2 text-left -outline-offset-2 hover:bg-raised"
      >
        <Avatar user={user} status={status} />
        <span className={`min-w-0 flex-1 truncate ${gone ? "text-soft" : ""}`}>
          <bdi>{user.name}</bdi>
        </span>
        {status === "away" && <span className="text-xs text-soft">{text.presence.away}</span>}
        {own && (
          <span className="text-xs text-soft" title={text.notes.title}>
            {text.people.own}
          </span>
        )}
      </button>
    </li>
  );
});

/** A text in a list, instead of rows or below them. */
export function Hint({ children }: { readonly children: ReactNode }) {
  return <li className="px-2 py-2 text-sm text-soft">{children}</li>;
}
