import {
  type RefObject,
  useCallback,
  useEffect,
  useLayoutEffect,
  useMemo,
  useState,
  useSyncExternalStore,
} from "react";
import { Virtuoso, type VirtuosoHandle } from "react-virtuoso";
import { text } from "../../i18n/i18n";
import { showToast } from "../../notifications/toasts";
import type { Member, User } from "../../sdk/protocol/generated";
import { deliveryStateOf, unreadText } from "../../sdk/store/selectors";
import type { ConversationSummary } from "../../sdk/store/state";
import type { Log } from "../../sdk/timeline/log";
import { type Row, rowsOf } from "../../sdk/timeline/rows";
import { DownIcon } from "../../ui/Icons";
import { MessagesSkeleton } from "../../ui/Skeleton";
import { useCommands, useSelect } from "../../ui/use-app";
import { useDisconnected } from "../../ui/use-disconnected";
import { useToday } from "../../ui/use-today";
import { useMessageMenu } from "./actions/use-message-menu";
import { MessageRow } from "./MessageRow";
import { anchorOf, open, type Place, placeOf, type ScrollState } from "./scroll/scroll-state";
import { Scroller } from "./scroll/scroller";
import { viewOf } from "./scroll/view";
import { useReadTracking } from "./use-read-tracking";
import { useRowFocus } from "./use-row-focus";

/** How long to wait for more messages before the list opens with those that are held. */
const OPEN_AFTER_MS = 3_000;
const FLOATING =
  "flex items-center gap-2 rounded-full border border-line bg-surface px-3 py-2 text-sm font-medium shadow-md";

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

/** Where each user was in each conversation, for as long as the page lives. */
const places = new Map<string, Place>();

/**
 * The messages held; only those in view are rendered. The list counts from
 * `firstItemIndex`: messages keep their index in a run of the log, so history that arrives
 * above moves nothing.
 */
export function MessageList({ conversation, log, me, pinned, target, onTarget }: Props) {
  const commands = useCommands();
  const { id } = conversation;
  const caughtUp = useSelect((state) => state.caughtUp);
  const others = useMemo(
    () => conversation.members.filter((member) => member.user.id !== me.id),
    [conversation.members, me.id],
  );
  const placeKey = `${me.id} ${id}`;
  const known = viewOf(conversation, log, me.id, caughtUp);
  const [scroller] = useState(() => new Scroller(open(known, places.get(placeKey) ?? null)));
  const where = useScrollState(scroller, ({ at, view }) =>
    view.log.run === log.run ? at.is : "opening",
  );
  // New messages stay marked for as long as the conversation is open.
  const fresh = useScrollState(scroller, (state) => state.fresh);
  const jumping = useScrollState(scroller, ({ due }) => due?.is === "jump");
  const canGoBack = useScrollState(scroller, ({ back }) => back !== null);
  const opening = where === "opening";
  const seen = useCallback((seq: number) => commands.seen(id, seq), [commands, id]);
  const watchEnd = useReadTracking(seen, scroller);
  const rows = useMessageRows(conversation, log, me, fresh);
  const first = useFirstRow(scroller.list, rows.length, log.run);
  const focus = useRowFocus(scroller.list, log.firstIndex, rows.length, scroller.goToEnd);
  const names = useMemo(
    () => new Map(conversation.members.map(({ user }) => [user.id, user.name])),
    [conversation.members],
  );
  const { onMenu, handlers, menu } = useMessageMenu(log.messages, pinned);
  const disconnected = useDisconnected();
  const [atTop, setAtTop] = useState(false);

  useLayoutEffect(() => {
    const end = scroller.start((effect) => {
      // In the next frame, the list is there in any case.
      if (effect.type === "show") requestAnimationFrame(() => focus.show(effect.row));
      else if (effect.type === "absent")
        showToast((toast) => toast(text.actions.absent, { id: "absent" }));
      else if (effect.type === "load around") void commands.loadAround(id, effect.seq);
      else if (effect.type === "load older") void commands.loadOlder(id);
      else void commands.loadNewer(id);
    });
    return () => {
      end();
      const place = placeOf(scroller.state);
      if (place !== null) places.set(placeKey, place);
    };
  }, [scroller, commands, focus, id, placeKey]);

  const { read, unread } = known;
  const written = rows.at(-1)?.entry?.clientId ?? null;
  useLayoutEffect(() => {
    const view = { log, me: me.id, read, unread, caughtUp, written };
    scroller.dispatch({ type: "view", view, scrolling: scroller.isScrolling() });
  }, [scroller, log, me.id, read, unread, caughtUp, written]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: what comes in begins the wait anew.
  useEffect(() => {
    if (!opening) return;
    const timer = setTimeout(() => scroller.dispatch({ type: "timeout" }), OPEN_AFTER_MS);
    return () => clearTimeout(timer);
  }, [scroller, opening, log.base, log.messages.length]);

  useEffect(() => {
    if (target === null) return;
    scroller.dispatch({ type: "jump", seq: target });
    if (scroller.state.due?.is !== "jump") onTarget(null);
  }, [scroller, target, onTarget]);
  useEffect(() => (jumping ? () => onTarget(null) : undefined), [jumping, onTarget]);

  // Messages that arrive for hours must not pile up above, unless they were asked for.
  const atEnd = where === "at-end";
  useEffect(() => {
    if (atEnd && target === null && log.messages.length > 0) commands.atEnd(id);
  }, [atEnd, target, log.messages, commands, id]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: where each run opens is read once.
  const start = useMemo(() => {
    const anchor = anchorOf(scroller.state);
    return anchor === null || "fromEnd" in anchor
      ? ({ index: "LAST", align: "end" } as const)
      : ({ index: anchor.row - log.firstIndex, align: "start" } as const);
  }, [scroller, log.run, opening]);

  if (opening) return <MessagesSkeleton label={text.messages.loading} />;
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the keys are those of the list inside.
    <div
      className="relative min-h-0 flex-1"
      onKeyDown={focus.onKeyDown}
      onFocus={focus.onFocus}
      onBlur={focus.onBlur}
      {...handlers}
    >
      <Virtuoso<Row>
        key={log.run}
        ref={scroller.list}
        scrollerRef={scroller.attach}
        // Virtuoso removes the focus ring by an inline style.
        className="h-full -outline-offset-2 focus-visible:outline-2! focus-visible:outline-accent! focus-visible:outline-solid!"
        role="log"
        // New messages are announced once for the whole page, see `Announcements`.
        aria-live="off"
        aria-label={text.messages.label}
        data={rows}
        firstItemIndex={log.firstIndex}
        initialTopMostItemIndex={start}
        alignToBottom
        // Corrects heights that are measured while scrolling up in the same frame.
        skipAnimationFrameInResizeObserver
        increaseViewportBy={{ top: 800, bottom: 400 }}
        computeItemKey={(_, row) => row.key}
        rangeChanged={({ startIndex, endIndex }) => {
          setAtTop(startIndex <= log.firstIndex);
          const above = startIndex - log.firstIndex;
          const below = log.firstIndex + rows.length - 1 - endIndex;
          scroller.dispatch({ type: "rendered", above, below });
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
            watchEnd={watchEnd}
            onFold={scroller.folding}
            onMenu={onMenu}
          />
        )}
      />
      {menu}
      {(target !== null || (disconnected && log.base > 0 && atTop)) && (
        <p className="late pointer-events-none absolute inset-x-0 top-14 text-center" role="status">
          <span className="notice inline-block bg-raised text-soft" data-testid="older">
            {disconnected ? text.messages.olderOffline : text.messages.loading}
          </span>
        </p>
      )}
      <div className="absolute right-[max(1rem,calc((100%-54rem)/2))] bottom-3 flex gap-2">
        {canGoBack && (
          <button
            type="button"
            className={FLOATING}
            onClick={() => scroller.dispatch({ type: "back" })}
            data-testid="jump-back"
          >
            {text.messages.back}
          </button>
        )}
        {!atEnd && (
          <button
            type="button"
            className={FLOATING}
            onClick={scroller.goToEnd}
            data-testid="jump-to-latest"
          >
            <DownIcon className="size-4" />
            {conversation.unread > 0
              ? text.messages.newBelow(unreadText(conversation.unread))
              : text.messages.latest}
          </button>
        )}
      </div>
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

/** A part of the state; `select` returns a primitive, so that scrolling alone renders nothing. */
function useScrollState<T extends string | number | boolean | null>(
  scroller: Scroller,
  select: (state: ScrollState) => T,
): T {
  return useSyncExternalStore(scroller.subscribe, () => select(scroller.state));
}

/**
 * Virtuoso estimates the heights of rows above, and corrects wrong
 * estimates, except when the very first row is among them: then this does, once.
 */
function useFirstRow(list: RefObject<VirtuosoHandle | null>, rows: number, run: number) {
  // biome-ignore lint/correctness/useExhaustiveDependencies: each run of the log has another list.
  const first = useMemo(() => {
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
  }, [run]);
  first.rows = rows;
  return first;
}

function Edge() {
  return <div className="h-3" />;
}
