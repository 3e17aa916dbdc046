import { memo, useEffect, useMemo, useSyncExternalStore } from "react";
import { plainOf } from "../../format/format";
import { conversationTitle } from "../../i18n/conversation-title";
import { text } from "../../i18n/i18n";
import { shortTime } from "../../i18n/time";
import { onDrafts, readDraft } from "../../platform/drafts";
import { addressOf } from "../../platform/route";
import type { MessageEntry } from "../../sdk/outbox/outbox";
import type { User } from "../../sdk/protocol/generated";
import {
  conversationListRows,
  deliveryStateOfEntry,
  partnerOf,
  type Status,
  statusOf,
  unreadText,
} from "../../sdk/store/selectors";
import type { ConversationSummary } from "../../sdk/store/state";
import { Avatar } from "../../ui/Avatar";
import { DeliveryStatus } from "../../ui/DeliveryStatus";
import { RowsSkeleton } from "../../ui/Skeleton";
import { useCommands, useSelect } from "../../ui/use-app";
import { useDisconnected } from "../../ui/use-disconnected";
import { useRows } from "../../ui/use-rows";
import { useToday } from "../../ui/use-today";
import { fitOf } from "../people/folding";
import { NoConversations } from "./Welcome";

/** The id of the list, for the focus. */
export const CONVERSATIONS = "conversations";

/** Placeholder rows while no conversation is known yet. */
const SKELETONS = 4;

/** How close to its end the list is scrolled, in pixels, when it loads more. */
const NEAR_END = 200;
/** The most characters of a message in its row. */
const EXCERPT = 200;

/** A search that finds fewer than this loads further pages. */
const ENOUGH = 20;

interface Props {
  readonly me: User;
  /** A part of the name that is searched for. */
  readonly search: string;
  /** Called with the number of rows. */
  readonly onRows: (rows: number) => void;
}

/** All conversations, the most recent first, page by page. */
export function ConversationList({ me, search, onRows }: Props) {
  const commands = useCommands();
  const conversations = useSelect((state) => state.conversations);
  const open = useSelect((state) => state.open);
  const listed = useSelect((state) => state.listed);
  const presence = useSelect((state) => state.presence);
  const disconnected = useDisconnected();
  const entries = useSelect((state) => state.outbox.entries);
  const rows = useMemo(
    () =>
      conversationListRows(conversations, entries).filter(({ conversation }) =>
        isFound(conversation, me, search),
      ),
    [conversations, entries, me, search],
  );
  useSearchOn(search, rows.length);
  const { list, stopOf } = useRows<HTMLUListElement>();
  const stop = stopOf(
    rows.map(({ conversation }) => conversation.id),
    open,
  );
  const shown = listed || search !== "" ? rows.length : Math.max(SKELETONS, rows.length);
  useEffect(() => onRows(shown), [onRows, shown]);
  if (search !== "" && rows.length === 0) return null;
  return (
    <nav aria-label={text.conversations.title} className="flex min-h-0 flex-col">
      <h2 className="px-4 pt-2 pb-1 text-xs font-semibold tracking-wide text-soft uppercase">
        {text.conversations.title}
      </h2>
      <ul
        {...list}
        // Takes the focus when there is no row for it.
        tabIndex={-1}
        id={CONVERSATIONS}
        className="min-h-0 flex-1 overflow-y-auto px-2 pb-2 outline-none"
        data-testid="conversation-list"
        onScroll={(event) => {
          const { scrollHeight, scrollTop, clientHeight } = event.currentTarget;
          if (scrollHeight - scrollTop - clientHeight < NEAR_END)
            void commands.loadMoreConversations();
        }}
      >
        {rows.map(({ conversation, entry }) => {
          const partner = partnerOf(conversation, me.id);
          if (partner === undefined) return null;
          return (
            <ConversationRow
              key={conversation.id}
              conversation={conversation}
              entry={entry}
              partner={partner.user}
              me={me}
              open={conversation.id === open}
              stop={conversation.id === stop}
              status={disconnected ? "unknown" : statusOf(presence, partner.user.id)}
            />
          );
        })}
        {!listed && rows.length === 0 && <RowsSkeleton rows={SKELETONS} tall />}
        {listed && rows.length === 0 && (
          <li className="px-2 py-3 text-sm text-soft">
            <NoConversations me={me} />
          </li>
        )}
      </ul>
    </nav>
  );
}

function isFound(conversation: ConversationSummary, me: User, search: string): boolean {
  const partner = partnerOf(conversation, me.id)?.user;
  if (search === "" || partner === undefined) return search === "";
  return [partner.name, conversationTitle(partner, me)].some(
    (name) => fitOf(name, search) !== null,
  );
}

function useSearchOn(search: string, found: number): void {
  const commands = useCommands();
  const more = useSelect((state) => state.moreConversations);
  useEffect(() => {
    if (search !== "" && more !== null && found < ENOUGH) void commands.loadMoreConversations();
  }, [commands, search, more, found]);
}

interface RowProps {
  readonly conversation: ConversationSummary;
  readonly entry: MessageEntry | undefined;
  readonly partner: User;
  readonly me: User;
  readonly open: boolean;
  /** Whether it is the one of the list that Tab leads to. */
  readonly stop: boolean;
  readonly status: Status;
}

const ConversationRow = memo(function ConversationRow(props: RowProps) {
  const { conversation, entry, partner, me, open, stop, status } = props;
  const { last, unread } = conversation;
  const at = entry?.writtenAt ?? last?.at;
  const mine = entry !== undefined || last?.sender === me.id;
  const body = entry?.content.body ?? last?.body ?? "";
  const draft = useDraft(me, conversation, open);
  useToday();
  const typing = useSelect((state) => (state.typing.get(conversation.id)?.size ?? 0) > 0);
  return (
    <li>
      <a
        href={addressOf(conversation.id)}
        aria-current={open ? "page" : undefined}
        tabIndex={stop ? 0 : -1}
        data-row={conversation.id}
        data-testid="conversation"
        data-conversation={conversation.id}
        data-name={partner.name}
        className={`flex items-center gap-3 rounded-xl px-2 py-2 -outline-offset-2 ${open ? "bg-chosen" : "hover:bg-raised"}`}
      >
        <Avatar user={partner} status={status} />
        <span className="min-w-0 flex-1">
          <span className="flex items-baseline gap-2">
            <span className="min-w-0 flex-1 truncate font-medium">
              <bdi>{conversationTitle(partner, me)}</bdi>
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
              {typing ? (
                <span className="text-accent" data-testid="typing-in-list">
                  {text.conversations.typing}
                </span>
              ) : (
                <Excerpt draft={draft} body={body} mine={mine && partner.id !== me.id} />
              )}
            </span>
            {entry !== undefined && <DeliveryStatus state={deliveryStateOfEntry(entry)} />}
            {unread > 0 && <UnreadBadge unread={unread} />}
          </span>
        </span>
      </a>
    </li>
  );
});

interface ExcerptProps {
  readonly draft: string;
  readonly body: string;
  readonly mine: boolean;
}

/** The beginning of the draft, or else of the last message. */
function Excerpt({ draft, body, mine }: ExcerptProps) {
  if (draft === "" && body === "") return text.conversations.empty;
  return (
    <>
      {draft === "" ? (
        mine && text.conversations.you
      ) : (
        <span className="font-medium text-warn" data-testid="draft">
          {text.conversations.draft}
        </span>
      )}
      <bdi>{(draft || plainOf(body)).slice(0, EXCERPT)}</bdi>
    </>
  );
}

/** The draft of a conversation that is not open; in the open one, the composer shows it. */
function useDraft(me: User, conversation: ConversationSummary, open: boolean): string {
  const draft = useSyncExternalStore(onDrafts, () =>
    open ? "" : readDraft(me.id, conversation.id),
  );
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
