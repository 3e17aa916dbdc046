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
import { hasGap, heldTo, type Log } from "../sdk/engine/log";
import type { Chat } from "../sdk/engine/model";
import type { Member, User } from "../sdk/protocol/generated";
import { type Line, linesOf } from "../sdk/store/lines";
import { firstUnread, reachesUnread, stateOf, unreadText } from "../sdk/store/selectors";
import { text } from "../text/text";
import { DownIcon } from "./Icons";
import { MessageRow } from "./MessageRow";
import { MessagesSkeleton } from "./Skeleton";
import { useCommands, useSelect } from "./use-app";
import { useMissed } from "./use-missed";
import { usePlace } from "./use-place";
import { useRowFocus } from "./use-row-focus";
import { useSeen } from "./use-seen";

/** History is asked for when fewer messages than this are left above. */
const AHEAD = 30;
/** How long to wait for older messages, before those that are held are shown. */
const PATIENCE_MS = 3_000;

interface Props {
  readonly chat: Chat;
  readonly log: Log;
  readonly me: User;
}

/** The messages of a conversation, from where the reader left off. */
export function MessageList(props: Props) {
  return <Opening key={useGeneration(props.log)} {...props} />;
}

/** Waits for what the conversation opens with, but not for long. */
function Opening(props: Props) {
  const { chat, log, me } = props;
  const commands = useCommands();
  const reached = reachesUnread(chat, log, me.id);
  const waited = usePatience();
  const opened = useOnce(reached || (waited && log.messages.length > 0));
  const older = !reached && !hasGap(log) ? log.base : 0;
  useEffect(() => {
    if (older > 0) void commands.loadOlder(chat.id);
  }, [commands, chat.id, older]);
  if (opened) return <Messages {...props} />;
  return <MessagesSkeleton label={text.messages.loading} />;
}

/**
 * The messages held, drawn as far as they are in view. The list counts from
 * `firstItemIndex`: as numbers are dense, that is the number of the first
 * message held, and history that comes in above moves nothing.
 */
function Messages({ chat, log, me }: Props) {
  const commands = useCommands();
  // What is new stays marked for as long as the conversation is in front.
  const [unread] = useState(() => firstUnread(chat, log, me.id));
  const others = useMemo(
    () => chat.members.filter((member) => member.user.id !== me.id),
    [chat.members, me.id],
  );
  const seen = useCallback((seq: number) => commands.seen(chat.id, seq), [commands, chat.id]);
  const list = useRef<VirtuosoHandle>(null);
  const { place, atEnd } = usePlace(list, unread);
  const watchEnd = useSeen(seen, place);
  const missed = useMissed(log, me.id, place, atEnd);
  const fresh = unread ?? missed;
  const lines = useLines(chat, log, me, fresh);
  const first = useFirstRow(list, lines.length);
  const focus = useRowFocus(list, log.base + 1, lines.length, place.goToEnd);
  const names = useMemo(
    () => new Map(chat.members.map(({ user }) => [user.id, user.name])),
    [chat.members],
  );
  const loadOlder = useCallback(() => {
    if (log.base > 0) void commands.loadOlder(chat.id);
  }, [commands, chat.id, log.base]);

  // A log that begins near its end may not fill the screen.
  useEffect(() => {
    if (log.messages.length < AHEAD) loadOlder();
  }, [log.messages.length, loadOlder]);

  // What comes in for hours must not pile up above.
  useEffect(() => {
    if (atEnd && log.messages.length > 0) commands.atEnd(chat.id);
  }, [atEnd, log.messages, commands, chat.id]);

  // Then the end moves up, and that is not the reader who goes up.
  const base = useRef(log.base);
  useLayoutEffect(() => {
    if (log.base > base.current) place.goToEnd();
    base.current = log.base;
  }, [log.base, place]);

  // What one writes oneself is always brought into view.
  const written = lines.at(-1)?.entry?.clientId;
  const held = useRef(written);
  useEffect(() => {
    if (written !== undefined && written !== held.current) place.goToEnd();
    held.current = written;
  }, [written, place]);

  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the keys are those of the list inside.
    <div
      className="relative min-h-0 flex-1"
      onKeyDown={focus.onKeyDown}
      onFocus={focus.onFocus}
      onBlur={focus.onBlur}
    >
      <Virtuoso<Line>
        ref={list}
        scrollerRef={place.attach}
        // Virtuoso takes the ring away by a style of the element.
        className="h-full -outline-offset-2 focus-visible:outline-2! focus-visible:outline-accent! focus-visible:outline-solid!"
        role="log"
        // What is new is announced once for the whole page, see `Announcements`.
        aria-live="off"
        aria-label={text.messages.label}
        data={lines}
        firstItemIndex={log.base + 1}
        initialTopMostItemIndex={
          unread === null
            ? { index: "LAST", align: "end" }
            : { index: unread - log.base - 1, align: "start" }
        }
        alignToBottom
        // Heights found while scrolling up are made up for in the same frame.
        skipAnimationFrameInResizeObserver
        increaseViewportBy={{ top: 800, bottom: 400 }}
        computeItemKey={(_, line) => line.key}
        rangeChanged={({ startIndex }) => {
          if (startIndex - log.base < AHEAD) loadOlder();
        }}
        itemsRendered={(items) => {
          first.onRendered(items);
          focus.onRendered();
        }}
        totalListHeightChanged={(height) => first.onHeight(height)}
        components={{ Header: Edge, Footer: Edge }}
        itemContent={(index, line) => (
          <MessageRow
            line={line}
            sender={names.get(line.sender) ?? ""}
            state={stateOf(line, others)}
            ahead={isAhead(line, lines[index - log.base], others)}
            fresh={fresh !== null && line.message?.seq === fresh}
            // Until the list is where it opens, what is drawn has not been seen.
            watchEnd={atEnd === null ? null : watchEnd}
            onFold={place.folding}
          />
        )}
      />
      {atEnd === false && (
        <button
          type="button"
          className="absolute right-[max(1rem,calc((100%-54rem)/2))] bottom-3 flex items-center gap-2 rounded-full border border-line bg-surface px-3 py-2 text-sm font-medium shadow-md"
          onClick={place.goToEnd}
          data-testid="jump-to-latest"
        >
          <DownIcon className="size-4" />
          {chat.unread > 0 ? text.messages.newBelow(unreadText(chat.unread)) : text.messages.latest}
        </button>
      )}
    </div>
  );
}

function useLines(chat: Chat, log: Log, me: User, fresh: number | null): Line[] {
  const entries = useSelect((state) => state.outbox.entries);
  return useMemo(
    () =>
      linesOf(
        log.messages,
        entries.filter((entry) => entry.conversation === chat.id),
        me.id,
        fresh,
      ),
    [log.messages, entries, chat.id, me.id, fresh],
  );
}

/** Whether one's own message has come further than the next of its group. */
function isAhead(line: Line, next: Line | undefined, others: readonly Member[]): boolean {
  if (!line.mine || line.ends || next === undefined) return false;
  return stateOf(line, others) !== stateOf(next, others);
}

/** Whether it was so once. */
function useOnce(now: boolean): boolean {
  const [held, setHeld] = useState(now);
  if (now && !held) setHeld(true);
  return held || now;
}

/** False at first, true for good when that has lasted. */
function usePatience(): boolean {
  const [over, setOver] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setOver(true), PATIENCE_MS);
    return () => clearTimeout(timer);
  }, []);
  return over;
}

/** Counts how often the run began anew further on: then the list does, too. */
function useGeneration(log: Log): number {
  const [held, setHeld] = useState({ log, generation: 0 });
  if (log === held.log) return held.generation;
  const generation = held.generation + (log.base > heldTo(held.log) ? 1 : 0);
  setHeld({ log, generation });
  return generation;
}

/**
 * Virtuoso guesses the heights of rows above, and makes up for what it guessed
 * wrong, except when the very first row is among them: then this does, once.
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
      /** It is measured in this frame, or was before: what changes its height later is another matter. */
      enter() {
        this.entered = this.rows;
        requestAnimationFrame(() =>
          requestAnimationFrame(() => {
            this.entered = null;
          }),
        );
      },
      onHeight(next: number) {
        // With other rows than then, the change is theirs.
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
