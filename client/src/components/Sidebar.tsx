import { useState } from "react";
import type { User } from "../sdk/protocol/generated";
import { selectInvisible } from "../sdk/store/selectors";
import { text } from "../text/text";
import { Avatar } from "./Avatar";
import { ConversationList } from "./ConversationList";
import { KeyboardIcon, SettingsIcon } from "./Icons";
import { NotificationPrompt } from "./NotificationPrompt";
import { PeopleList } from "./PeopleList";
import { useSelect } from "./use-app";
import { useLost } from "./use-lost";
import type { ShowPanel } from "./use-panels";

/** The id of the field, for the key that leads to it. */
export const SEARCH = "search";

interface Props {
  readonly me: User;
  readonly onShow: ShowPanel;
}

/** Who one is, whom one talks with, who is here. */
export function Sidebar({ me, onShow }: Props) {
  const [search, setSearch] = useState("");
  const lost = useLost();
  const { presence } = text;
  const invisible = useSelect(selectInvisible);
  const first = useSelect((state) => state.presence.count === null);
  return (
    <aside className="flex h-full min-h-0 w-full flex-col border-line bg-surface md:border-r">
      <header className="flex items-center gap-3 border-b border-line px-4 py-3">
        <Avatar user={me} status={lost || first ? "unknown" : invisible ? "offline" : "online"} />
        <div className="min-w-0 flex-1">
          <p className="truncate font-semibold" data-testid="own-name">
            <bdi>{me.name}</bdi>
          </p>
          <p className="text-xs text-soft" data-testid="own-state">
            {lost
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
          data-testid="settings-open"
        >
          <SettingsIcon />
        </button>
      </header>
      <NotificationPrompt />
      <Search search={search} onSearch={setSearch} />
      <ConversationList me={me} search={search.trim()} />
      <PeopleList me={me} search={search} />
    </aside>
  );
}

interface SearchProps {
  readonly search: string;
  readonly onSearch: (search: string) => void;
}

/** Narrows both lists down by name. */
function Search({ search, onSearch }: SearchProps) {
  return (
    <search className="px-3 pt-3">
      <input
        id={SEARCH}
        type="search"
        className="field py-1.5 text-sm"
        placeholder={text.people.search}
        aria-label={text.people.searchLabel}
        aria-keyshortcuts="/"
        value={search}
        onChange={(event) => onSearch(event.target.value)}
        data-testid="people-search"
      />
    </search>
  );
}
