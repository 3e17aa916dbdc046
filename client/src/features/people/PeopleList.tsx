import { useEffect, useId, useMemo, useRef, useState, useSyncExternalStore } from "react";
import { text } from "../../i18n/i18n";
import { onPeopleFolded, peopleFolded, setPeopleFolded } from "../../platform/preferences";
import type { User } from "../../sdk/protocol/generated";
import { partnerOf, type Status } from "../../sdk/store/selectors";
import { ChevronIcon } from "../../ui/Icons";
import { RowsSkeleton } from "../../ui/Skeleton";
import { useSelect } from "../../ui/use-app";
import { useDisconnected, usePresenceKnown } from "../../ui/use-disconnected";
import { useRows } from "../../ui/use-rows";
import { Hint, PersonRow } from "./PersonRow";
import { stableList } from "./stable-list";
import { useOpenConversation } from "./use-open-conversation";
import { useOnlinePeople } from "./use-people";

const NEAR_END = 200;
/** Placeholder rows while nobody is known yet. */
const SKELETONS = 3;
/** Fewer rows than this may not fill the list: more are loaded. */
const ENOUGH = 20;

interface Props {
  readonly me: User;
  /** Called with the number of rows, and whether the layout must not change now. */
  readonly onRows: (rows: number, held: boolean) => void;
}

/** Everyone online with whom there is no conversation yet; the list can be folded. */
export function PeopleList({ me, onRows }: Props) {
  const folded = useSyncExternalStore(onPeopleFolded, peopleFolded);
  const count = useSelect((state) => state.presence.count);
  const known = usePresenceKnown();
  const id = useId();
  useEffect(() => {
    if (folded) onRows(0, false);
  }, [folded, onRows]);
  return (
    <section aria-label={text.people.label} className="flex min-h-0 flex-col border-t border-line">
      <h2>
        <button
          type="button"
          aria-expanded={!folded}
          aria-controls={id}
          onClick={() => setPeopleFolded(!folded)}
          className="flex w-full items-center gap-2 px-4 pt-3 pb-2 text-left text-xs font-semibold tracking-wide text-soft uppercase -outline-offset-2 hover:text-ink"
          data-testid="people-fold"
        >
          {text.people.title}
          <span data-testid="online-count">{known ? count : "–"}</span>
          <ChevronIcon className={`ml-auto size-4 ${folded ? "" : "rotate-180"}`} />
        </button>
      </h2>
      {!folded && <Online id={id} me={me} onRows={onRows} />}
    </section>
  );
}

function Online({ id, me, onRows }: Props & { readonly id: string }) {
  const { users, count, more } = useOnlinePeople();
  const openConversation = useOpenConversation(me);
  const disconnected = useDisconnected();
  const known = usePresenceKnown();
  const away = useSelect((state) => state.presence.away);
  const others = useOthers(me, users);
  const { shown, held, hold } = useStableList(others);
  const { list, stopOf } = useRows<HTMLUListElement>();
  const stop = stopOf(shown?.map((user) => user.id) ?? []);
  const here = useMemo(() => new Set(users?.map((user) => user.id)), [users]);
  const rows = shown === null ? SKELETONS : Math.max(1, shown.length);
  useEffect(() => onRows(rows, held), [onRows, rows, held]);
  useEffect(() => {
    if (others !== null && others.length < ENOUGH) more();
  }, [others, more]);

  function statusOf(user: User): Status {
    if (disconnected) return "unknown";
    return !here.has(user.id) ? "offline" : away.has(user.id) ? "away" : "online";
  }

  return (
    <ul
      {...list}
      {...hold}
      id={id}
      className="min-h-0 flex-1 overflow-y-auto px-2 pb-2"
      data-testid="people-list"
      onScroll={(event) => {
        const { scrollHeight, scrollTop, clientHeight } = event.currentTarget;
        if (scrollHeight - scrollTop - clientHeight < NEAR_END) more();
      }}
    >
      {shown?.map((user) => (
        <PersonRow
          key={user.id}
          user={user}
          own={user.id === me.id}
          status={statusOf(user)}
          stop={user.id === stop}
          onOpen={openConversation}
        />
      ))}
      {users === null &&
        (disconnected ? <Hint>{text.people.lost}</Hint> : <RowsSkeleton rows={SKELETONS} />)}
      {shown?.length === 0 && known && (
        <Hint>{(count ?? 0) > 1 ? text.people.allAbove : text.people.nobody}</Hint>
      )}
    </ul>
  );
}

/** The users without a conversation: the others are in the list above. */
function useOthers(me: User, users: readonly User[] | null): readonly User[] | null {
  const conversations = useSelect((state) => state.conversations);
  return useMemo(() => {
    const partners = new Set(
      [...conversations.values()].map((conversation) => partnerOf(conversation, me.id)?.user.id),
    );
    return users?.filter((user) => !partners.has(user.id)) ?? null;
  }, [conversations, me.id, users]);
}

/** Keeps the order of the list while it is hovered or focused. */
function useStableList(users: readonly User[] | null) {
  const [pointed, setPointed] = useState(false);
  const [focused, setFocused] = useState(false);
  const before = useRef(users);
  const held = (pointed || focused) && users !== null && before.current !== null;
  const shown = held ? stableList(before.current ?? [], users) : users;
  useEffect(() => {
    before.current = shown;
  }, [shown]);
  const hold = {
    onPointerEnter: () => setPointed(true),
    onPointerLeave: () => setPointed(false),
    onFocusCapture: () => setFocused(true),
    onBlur: () => setFocused(false),
  };
  return { shown, held, hold };
}
