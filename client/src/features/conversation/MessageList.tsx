import {
  type RefObject,
  useCallback,
  useEffect,
  useLayoutEffect,
  useMemo,
  useRef,
  useState,
} from "react";
import { Virtuoso, type VirtuosoHandle } from "react-virtuoso";
import { text } from "../../i18n/i18n";
import type { Member, User } from "../../sdk/protocol/generated";
import { deliveryStateOf, firstUnread, reachesUnread, unreadText } from "../../sdk/store/selectors";
import type { ConversationSummary } from "../../sdk/store/state";
import { hasGap, indexOf, type Log } from "../../sdk/timeline/log";
import { type Row, rowsOf } from "../../sdk/timeline/rows";
import { DownIcon } from "../../ui/Icons";
import { MessagesSkeleton } from "../../ui/Skeleton";
import { useCommands, useSelect } from "../../ui/use-app";
import { useDisconnected } from "../../ui/use-disconnected";
import { useOnce } from "../../ui/use-once";
import { useToday } from "../../ui/use-today";
import { MessageRow } from "./MessageRow";
import { useCatchUpAnchor } from "./use-catch-up-anchor";
import { useGoTo } from "./use-go-to";
import { useReadTracking } from "./use-read-tracking";
import { useRowFocus } from "./use-row-focus";
import { useScrollAnchor } from "./use-scroll-anchor";

/** History is loaded when fewer messages than this are left above. */
const AHEAD = 30;
/** How long to wait for more messages before the list opens with those that are held. */
const OPEN_AFTER_MS = 3_000;

interface Props {
  readonly conversation: ConversationSummary;
  readonly log: Log;
  readonly me: User;
  /** The numbers of the pinned messages. */
  readonly pinned: readonly number[];
  /** The number of a message that the reader wants to see. */
  readonly target: number | null;
  /** Called with `null` when that message is shown, or is known not to exist. */
  readonly onTarget: (seq: null) => void;
}

/** The messages of a conversation, from where the reader left off. */
export function MessageList(props: Props) {
  return <Opening key={useGeneration(props.log)} {...props} />;
}

/** Waits, but not for long, until the place where the conversation opens is loaded. */
function Opening(props: Props) {
  const { conversation, log, me } = props;
  const commands = useCommands();
  const reached = reachesUnread(conversation, log, me.id);
  const waited = usePatience(log);
  const opened = useOnce(reached || (waited && log.messages.length > 0));
  const older = !reached && !hasGap(log) ? log.base : 0;
  useEffect(() => {
    if (older > 0) void commands.loadOlder(conversation.id);
  }, [commands, conversation.id, older]);
  if (opened) return <Messages {...props} />;
  return <MessagesSkeleton label={text.messages.loading} />;
}

/**
 * The messages held; only those in view are rendered. The list counts from
 * `firstItemIndex`: messages keep their index in the log, so history that arrives
 * above moves nothing.
 */
function Messages({ conversation, log, me, pinned, target, onTarget }: Props) {
  const commands = useCommands();
  const { id } = conversation;
  // New messages stay marked for as long as the conversation is open.
  const [unread] = useState(() => firstUnread(conversation, log, me.id));
  const others = useMemo(
    () => conversation.members.filter((member) => member.user.id !== me.id),
    [conversation.members, me.id],
  );
  const seen = useCallback((seq: number) => commands.seen(id, seq), [commands, id]);
  const list = useRef<VirtuosoHandle>(null);
  const [start] = useState(() => (unread === null ? null : indexOf(log, unread)));
  const { anchor, atEnd } = useScrollAnchor(list, start);
  const watchEnd = useReadTracking(seen, anchor);
  // Until the list has opened, this is where it will open.
  const missed = useCatchUpAnchor(log, me.id, anchor, atEnd ?? unread === null, unread);
  const fresh = unread ?? missed;
  const rows = useMessageRows(conversation, log, me, fresh);
  const first = useFirstRow(list, rows.length);
  const focus = useRowFocus(list, log.firstIndex, rows.length, anchor.goToEnd);
  const names = useMemo(
    () => new Map(conversation.members.map(({ user }) => [user.id, user.name])),
    [conversation.members],
  );
  const disconnected = useDisconnected();
  const [atTop, setAtTop] = useState(false);
  const loadOlder = useCallback(() => {
    if (log.base > 0) void commands.loadOlder(id);
  }, [commands, id, log.base]);

  const loadBackTo = useCallback(
    (seq: number) => void commands.loadBackTo(id, seq),
    [commands, id],
  );
  const show = useCallback(
    (index: number) => {
      anchor.openAt(index);
      focus.show(index);
    },
    [anchor, focus],
  );
  useGoTo(target, log, loadBackTo, show, onTarget);

  // A log that begins near its end may not fill the screen.
  useEffect(() => {
    if (log.messages.length < AHEAD) loadOlder();
  }, [log.messages.length, loadOlder]);

  // Messages that arrive for hours must not pile up above, unless they were asked for.
  useEffect(() => {
    if (atEnd && target === null && log.messages.length > 0) commands.atEnd(id);
  }, [atEnd, target, log.messages, commands, id]);

  // The reader has not moved when the beginning of the log changes.
  const firstIndex = useRef(log.firstIndex);
  useLayoutEffect(() => {
    if (log.firstIndex > firstIndex.current) anchor.goToEnd();
    else if (log.firstIndex < firstIndex.current) anchor.stay();
    firstIndex.current = log.firstIndex;
  }, [log.firstIndex, anchor]);

  // One's own new message is always scrolled into view.
  const written = rows.at(-1)?.entry?.clientId;
  const held = useRef(written);
  useEffect(() => {
    if (written !== undefined && written !== held.current) anchor.goToEnd();
    held.current = written;
  }, [written, anchor]);

  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the keys are those of the list inside.
    <div
      className="relative min-h-0 flex-1"
      onKeyDown={focus.onKeyDown}
      onFocus={focus.onFocus}
      onBlur={focus.onBlur}
    >
      <Virtuoso<Row>
        ref={list}
        scrollerRef={anchor.attach}
        // Virtuoso removes the focus ring by an inline style.
        className="h-full -outline-offset-2 focus-visible:outline-2! focus-visible:outline-accent! focus-visible:outline-solid!"
        role="log"
        // New messages are announced once for the whole page, see `Announcements`.
        aria-live="off"
        aria-label={text.messages.label}
        data={rows}
        firstItemIndex={log.firstIndex}
        initialTopMostItemIndex={
          start === null
            ? { index: "LAST", align: "end" }
            : { index: start - log.firstIndex, align: "start" }
        }
        alignToBottom
        // Corrects heights that are measured while scrolling up in the same frame.
        skipAnimationFrameInResizeObserver
        increaseViewportBy={{ top: 800, bottom: 400 }}
        computeItemKey={(_, row) => row.key}
        rangeChanged={({ startIndex }) => {
          setAtTop(startIndex <= log.firstIndex);
          if (startIndex - log.firstIndex < AHEAD) loadOlder();
        }}
        itemsRendered={(items) => {
          first.onRendered(items);
          focus.onRendered();
        }}
        totalListHeightChanged={(height) => first.onHeight(height)}
        components={{ Header: Edge, Footer: Edge }}
        itemContent={(index, row) => (
          <MessageRow
            row={row}
            sender={names.get(row.sender) ?? ""}
            state={deliveryStateOf(row, others)}
            ahead={isAhead(row, rows[index - log.firstIndex + 1], others)}
            fresh={fresh !== null && row.message?.seq === fresh}
            pinned={row.message !== undefined && pinned.includes(row.message.seq)}
            // Until the list has opened, what is rendered does not count as read.
            watchEnd={atEnd === null ? null : watchEnd}
            onFold={anchor.folding}
          />
        )}
      />
      {(target !== null || (disconnected && log.base > 0 && atTop)) && (
        <p className="late pointer-events-none absolute inset-x-0 top-14 text-center" role="status">
          <span className="notice inline-block bg-raised text-soft" data-testid="older">
            {disconnected ? text.messages.olderOffline : text.messages.loading}
          </span>
        </p>
      )}
      {atEnd === false && (
        <button
          type="button"
          className="absolute right-[max(1rem,calc((100%-54rem)/2))] bottom-3 flex items-center gap-2 rounded-full border border-line bg-surface px-3 py-2 text-sm font-medium shadow-md"
          onClick={anchor.goToEnd}
          data-testid="jump-to-latest"
        >
          <DownIcon className="size-4" />
          {conversation.unread > 0
            ? text.messages.newBelow(unreadText(conversation.unread))
            : text.messages.latest}
        </button>
      )}
    </div>
  );
}

function useMessageRows(
  conversation: ConversationSummary,
  { base, messages }: Log,
  me: User,
  fresh: number | null,
): Row[] {
  const entries = useSelect((state) => state.outbox.entries);
  const calendar = useToday();
  return useMemo(
    () =>
      rowsOf(
        { base, messages },
        entries.filter((entry) => entry.conversation === conversation.id),
        me.id,
        fresh,
        calendar,
      ),
    [base, messages, entries, conversation.id, me.id, fresh, calendar],
  );
}

/** Whether one's own message has got further than the next of its group. */
function isAhead(row: Row, next: Row | undefined, others: readonly Member[]): boolean {
  if (!row.mine || row.ends || next === undefined) return false;
  return deliveryStateOf(row, others) !== deliveryStateOf(next, others);
}

/** Turns `true` when nothing was added to the log for a while, and stays so. */
function usePatience({ base, messages }: Log): boolean {
  const [over, setOver] = useState(false);
  // biome-ignore lint/correctness/useExhaustiveDependencies: what comes in begins the wait anew.
  useEffect(() => {
    const timer = setTimeout(() => setOver(true), OPEN_AFTER_MS);
    return () => clearTimeout(timer);
  }, [base, messages.length]);
  return over;
}

/** Counts how often the log has begun again after a gap: then the list does, too. */
function useGeneration(log: Log): number {
  const [held, setHeld] = useState({ log, generation: 0 });
  if (log === held.log) return held.generation;
  const generation = held.generation + (log.base > held.log.end ? 1 : 0);
  setHeld({ log, generation });
  return generation;
}

/**
 * Virtuoso estimates the heights of rows above, and corrects wrong
 * estimates, except when the very first row is among them: then this does, once.
 */
function useFirstRow(list: RefObject<VirtuosoHandle | null>, rows: number) {
  const [first] = useState(() => {
    let drawn: boolean | null = null;
    let height = 0;
    return {
      rows,
      /** How many rows there were when the first came into view, until it is measured. */
      entered: null as number | null,
      onRendered(items: readonly { readonly originalIndex?: number }[]) {
        if (items.length === 0) return;
        const now = items[0]?.originalIndex === 0;
        if (!now) this.entered = null;
        else if (drawn === false) this.enter();
        drawn = now;
      },
      /** The row is measured in this frame, or was before: later changes of height have other causes. */
      enter() {
        this.entered = this.rows;
        requestAnimationFrame(() =>
          requestAnimationFrame(() => {
            this.entered = null;
          }),
        );
      },
      onHeight(next: number) {
        // If the number of rows has changed, so has the height.
        if (this.entered === this.rows) list.current?.scrollBy({ top: next - height });
        this.entered = null;
        height = next;
      },
    };
  });
  first.rows = rows;
  return first;
}

function Edge() {
  return <div className="h-3" />;
}
