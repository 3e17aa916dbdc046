import {
  type KeyboardEvent,
  lazy,
  type RefObject,
  useCallback,
  useEffect,
  useRef,
  useState,
} from "react";
import { ConversationList } from "../features/list/ConversationList";
import { PeopleList } from "../features/people/PeopleList";
import { text } from "../i18n/i18n";
import type { User } from "../sdk/protocol/generated";
import { selectInvisible } from "../sdk/store/selectors";
import { Avatar } from "../ui/Avatar";
import { KeyboardIcon, SettingsIcon } from "../ui/Icons";
import { LazyBoundary } from "../ui/LazyBoundary";
import { useSelect } from "../ui/use-app";
import { useDisconnected } from "../ui/use-disconnected";
import { focusFirstRow } from "../ui/use-rows";
import { NotificationPrompt } from "./NotificationPrompt";
import type { ShowPanel } from "./use-panels";

const FoundPeople = lazy(async () => ({
  default: (await import("../features/people/FoundPeople")).FoundPeople,
}));

/** The id of the search field, which a shortcut focuses. */
export const SEARCH = "search";

interface Props {
  readonly me: User;
  readonly onShow: ShowPanel;
}

/** The own name, the conversations, and who is online. */
export function Sidebar({ me, onShow }: Props) {
  const [search, setSearch] = useState("");
  const lists = useRef<HTMLDivElement>(null);
  const open = useSelect((state) => state.open);
  // A found conversation is open now: the search is over.
  useEffect(() => {
    if (open !== null) setSearch("");
  }, [open]);
  const disconnected = useDisconnected();
  const { presence } = text;
  const invisible = useSelect(selectInvisible);
  const first = useSelect((state) => state.presence.count === null);
  return (
    <aside className="flex h-full min-h-0 w-full flex-col border-line bg-surface md:border-r">
      <header className="flex items-center gap-3 border-b border-line px-4 py-3 short:py-1">
        <Avatar
          user={me}
          status={disconnected || first ? "unknown" : invisible ? "offline" : "online"}
        />
        <div className="min-w-0 flex-1">
          <p className="truncate font-semibold" data-testid="own-name">
            <bdi>{me.name}</bdi>
          </p>
          <p className="text-xs text-soft" data-testid="own-state">
            {disconnected
              ? presence.notConnected
              : first
                ? presence.connecting
                : invisible
                  ? presence.invisible
                  : presence.online}
          </p>
        </div>
        <button
          type="button"
          className="hidden rounded-lg p-2 text-soft hover:bg-raised hover:text-ink [@media(hover:hover)]:block"
          onClick={() => onShow("shortcuts")}
          aria-label={text.shortcuts.title}
          data-tip={`${text.shortcuts.title} (?)`}
          aria-keyshortcuts="?"
          data-testid="shortcuts-open"
        >
          <KeyboardIcon />
        </button>
        <button
          type="button"
          className="rounded-lg p-2 text-soft hover:bg-raised hover:text-ink"
          onClick={() => onShow("settings")}
          aria-label={text.settings.title}
          data-tip={text.settings.title}
          data-testid="settings-open"
        >
          <SettingsIcon />
        </button>
      </header>
      <NotificationPrompt />
      <Search search={search} onSearch={setSearch} lists={lists} />
      <Lists ref={lists} me={me} search={search.trim()} />
    </aside>
  );
}

interface SearchProps {
  readonly search: string;
  readonly onSearch: (search: string) => void;
  /** The lists of what was found. */
  readonly lists: RefObject<HTMLElement | null>;
}

/** Finds conversations and people by name. Down moves to the results, Enter opens the first. */
function Search({ search, onSearch, lists }: SearchProps) {
  function onKeyDown(event: KeyboardEvent<HTMLInputElement>) {
    if (event.nativeEvent.isComposing || lists.current === null) return;
    if (event.key === "ArrowDown" && focusFirstRow(lists.current)) event.preventDefault();
    if (event.key !== "Enter" || search.trim() === "") return;
    event.preventDefault();
    lists.current.querySelector<HTMLElement>("[data-row]")?.click();
    onSearch("");
  }
  return (
    <search className="px-3 pt-3 pb-1">
      <input
        id={SEARCH}
        type="search"
        className="field py-1.5 text-sm"
        placeholder={text.people.search}
        aria-label={text.people.searchLabel}
        aria-keyshortcuts="/"
        enterKeyHint="go"
        autoComplete="off"
        spellCheck={false}
        dir="auto"
        value={search}
        onChange={(event) => onSearch(event.target.value)}
        onKeyDown={onKeyDown}
        data-testid="people-search"
      />
    </search>
  );
}

interface ListsProps {
  readonly ref: RefObject<HTMLDivElement | null>;
  readonly me: User;
  readonly search: string;
}

/**
 * The conversations, and below them the people online, who get the height that the
 * conversations leave, but at least two fifths. A search shows one list of both.
 */
function Lists({ ref, me, search }: ListsProps) {
  const [conversations, setConversations] = useState(0);
  const [people, setPeople] = useState({ rows: 0, held: false });
  const onPeople = useCallback((rows: number, held: boolean) => setPeople({ rows, held }), []);
  const size = useRef({ conversations, people: people.rows });
  // The layout does not change under a pointer.
  if (!people.held) size.current = { conversations, people: people.rows };
  const { conversations: above, people: below } = size.current;
  const free = `max(40%, 100% - 2.5rem - ${above} * 3.75rem)`;
  const searching = search !== "";
  return (
    <div
      ref={ref}
      className={`min-h-0 flex-1 ${searching ? "overflow-y-auto" : "grid grid-cols-1"}`}
      style={{ gridTemplateRows: `minmax(0, 1fr) min(${free}, 3rem + ${below} * 3rem)` }}
    >
      <ConversationList me={me} search={search} onRows={setConversations} />
      {searching ? (
        <LazyBoundary>
          <FoundPeople me={me} search={search} besides={conversations > 0} />
        </LazyBoundary>
      ) : (
        <PeopleList me={me} onRows={onPeople} />
      )}
    </div>
  );
}
