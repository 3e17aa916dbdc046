import { memo, useEffect, useMemo, useSyncExternalStore } from "react";
import { plainOf } from "../format/format";
import { onDrafts, readDraft } from "../platform/kept";
import { addressOf } from "../platform/route";
import type { Chat } from "../sdk/engine/model";
import type { Entry } from "../sdk/engine/outbox";
import type { User } from "../sdk/protocol/generated";
import {
  chatRows,
  partnerOf,
  type Status,
  stateOfEntry,
  statusOf,
  unreadText,
} from "../sdk/store/selectors";
import { text } from "../text/text";
import { Avatar } from "./Avatar";
import { Mark } from "./Mark";
import { fitOf } from "./ranking";
import { RowsSkeleton } from "./Skeleton";
import { shortTime } from "./time";
import { useCommands, useSelect } from "./use-app";
import { useLost } from "./use-lost";

/** How near to its end a list is scrolled, in pixels, when it asks for more. */
const NEAR_END = 200;
/** So many characters of a message are enough for its line. */
const EXCERPT = 200;

/** A search that finds fewer than this looks through the pages that are not loaded yet. */
const ENOUGH = 20;

interface Props {
  readonly me: User;
  /** A part of the name of who is looked for. */
  readonly search: string;
}

/** All conversations, the most recent first, page by page. */
export function ConversationList({ me, search }: Props) {
  const commands = useCommands();
  const chats = useSelect((state) => state.chats);
  const open = useSelect((state) => state.open);
  const listed = useSelect((state) => state.listed);
  const presence = useSelect((state) => state.presence);
  const lost = useLost();
  const entries = useSelect((state) => state.outbox.entries);
  const rows = useMemo(
    () => chatRows(chats, entries).filter(({ chat }) => isFound(chat, me, search)),
    [chats, entries, me, search],
  );
  useSearchOn(search, rows.length);
  return (
    <nav aria-label={text.conversations.title} className="flex min-h-0 flex-[3] flex-col">
      <h2 className="px-4 pt-3 pb-1 text-xs font-semibold tracking-wide text-soft uppercase">
        {text.conversations.title}
      </h2>
      <ul
        className="min-h-0 flex-1 overflow-y-auto px-2 pb-2"
        data-testid="conversation-list"
        onScroll={(event) => {
          const { scrollHeight, scrollTop, clientHeight } = event.currentTarget;
          if (scrollHeight - scrollTop - clientHeight < NEAR_END) void commands.loadMoreChats();
        }}
      >
        {rows.map(({ chat, entry }) => {
          const partner = partnerOf(chat, me.id);
          if (partner === undefined) return null;
          return (
            <ConversationRow
              key={chat.id}
              chat={chat}
              entry={entry}
              partner={partner.user}
              me={me}
              open={chat.id === open}
              status={lost ? "unknown" : statusOf(presence, partner.user.id)}
            />
          );
        })}
        {!listed && rows.length === 0 && <RowsSkeleton rows={4} tall />}
        {listed && rows.length === 0 && (
          <li className="px-2 py-3 text-sm text-soft">
            {search === "" ? text.conversations.none : text.conversations.noneFound}
          </li>
        )}
      </ul>
    </nav>
  );
}

function isFound(chat: Chat, me: User, search: string): boolean {
  const name = partnerOf(chat, me.id)?.user.name;
  return search === "" || (name !== undefined && fitOf(name, search) !== null);
}

function useSearchOn(search: string, found: number): void {
  const commands = useCommands();
  const more = useSelect((state) => state.moreChats);
  useEffect(() => {
    if (search !== "" && more !== null && found < ENOUGH) void commands.loadMoreChats();
  }, [commands, search, more, found]);
}

interface RowProps {
  readonly chat: Chat;
  readonly entry: Entry | undefined;
  readonly partner: User;
  readonly me: User;
  readonly open: boolean;
  readonly status: Status;
}

const ConversationRow = memo(function ConversationRow(props: RowProps) {
  const { chat, entry, partner, me, open, status } = props;
  const { last, unread } = chat;
  const at = entry?.writtenAt ?? last?.at;
  const mine = entry !== undefined || last?.sender === me.id;
  const body = entry?.body ?? last?.body ?? "";
  const draft = useDraft(me, chat, open);
  return (
    <li>
      <a
        href={addressOf(chat.id)}
        aria-current={open ? "page" : undefined}
        data-testid="conversation"
        data-conversation={chat.id}
        data-name={partner.name}
        className={`flex items-center gap-3 rounded-xl px-2 py-2 -outline-offset-2 ${open ? "bg-chosen" : "hover:bg-raised"}`}
      >
        <Avatar user={partner} status={status} />
        <span className="min-w-0 flex-1">
          <span className="flex items-baseline gap-2">
            <span className="min-w-0 flex-1 truncate font-medium">
              <bdi>{partner.name}</bdi>
            </span>
            {(status === "online" || status === "away") && (
              <span className="sr-only">{text.presence[status]}</span>
            )}
            {at !== undefined && (
              <time className="shrink-0 text-xs text-soft" dateTime={at}>
                {shortTime(at)}
              </time>
            )}
          </span>
          <span className="flex items-center gap-2">
            <span
              className={`min-w-0 flex-1 truncate text-sm ${unread > 0 ? "font-medium text-ink" : "text-soft"}`}
            >
              {draft === "" ? (
                mine && text.conversations.you
              ) : (
                <span className="font-medium text-warn" data-testid="draft">
                  {text.conversations.draft}
                </span>
              )}
              <bdi>{(draft || plainOf(body)).slice(0, EXCERPT)}</bdi>
            </span>
            {entry !== undefined && <Mark state={stateOfEntry(entry)} />}
            {unread > 0 && <UnreadBadge unread={unread} />}
          </span>
        </span>
      </a>
    </li>
  );
});

/** What was begun in a conversation that is not in front; in the one that is, it is in view. */
function useDraft(me: User, chat: Chat, open: boolean): string {
  const draft = useSyncExternalStore(onDrafts, () => (open ? "" : readDraft(me.id, chat.id)));
  return draft.trim();
}

function UnreadBadge({ unread }: { readonly unread: number }) {
  const count = unreadText(unread);
  return (
    <span
      role="img"
      aria-label={text.conversations.unread(count)}
      className="shrink-0 rounded-full bg-accent px-2 text-xs leading-5 font-semibold text-on-accent"
      data-testid="unread-badge"
    >
      {count}
    </span>
  );
}
