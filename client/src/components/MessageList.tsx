import { type RefObject, useCallback, useEffect, useMemo, useRef, useState } from "react";
import { Virtuoso, type VirtuosoHandle } from "react-virtuoso";
import type { Log } from "../engine/log";
import type { Chat } from "../engine/model";
import type { User } from "../protocol/generated";
import { useCommands, useSelect } from "../store/hooks";
import { type Line, linesOf, stateOf } from "../store/selectors";
import { DownIcon } from "./Icons";
import { MessageRow } from "./MessageRow";
import { usePlace } from "./use-place";
import { useSeen } from "./use-seen";

/** History is asked for when fewer messages than this are left above. */
const AHEAD = 30;

interface Props {
  readonly chat: Chat;
  readonly log: Log;
  readonly me: User;
}

/**
 * The messages held, drawn as far as they are in view. The list counts from
 * `firstItemIndex`: as numbers are dense, that is the number of the first
 * message held, and history that comes in above moves nothing.
 */
export function MessageList({ chat, log, me }: Props) {
  const commands = useCommands();
  const lines = useLines(chat, log, me);
  const others = useMemo(
    () => chat.members.filter((member) => member.user.id !== me.id),
    [chat.members, me.id],
  );
  const seen = useCallback((seq: number) => commands.seen(chat.id, seq), [commands, chat.id]);
  const watchEnd = useSeen(seen);
  const list = useRef<VirtuosoHandle>(null);
  const { place, atEnd } = usePlace(list);
  const first = useFirstRow(list, lines.length);
  const loadOlder = useCallback(() => {
    if (log.base > 0) void commands.loadOlder(chat.id);
  }, [commands, chat.id, log.base]);

  // A log that begins near its end may not fill the screen.
  useEffect(() => {
    if (log.messages.length < AHEAD) loadOlder();
  }, [log.messages.length, loadOlder]);

  // What one writes oneself is always brought into view.
  const written = lines.at(-1)?.entry?.clientId;
  const held = useRef(written);
  useEffect(() => {
    if (written !== undefined && written !== held.current) place.goToEnd();
    held.current = written;
  }, [written, place]);

  return (
    <div className="relative min-h-0 flex-1">
      <Virtuoso<Line>
        ref={list}
        scrollerRef={place.attach}
        key={useGeneration(log.base)}
        className="h-full"
        role="log"
        aria-label="Messages"
        data={lines}
        firstItemIndex={log.base + 1}
        initialTopMostItemIndex={{ index: "LAST", align: "end" }}
        alignToBottom
        // Heights found while scrolling up are made up for in the same frame.
        skipAnimationFrameInResizeObserver
        increaseViewportBy={{ top: 800, bottom: 400 }}
        computeItemKey={(_, line) => line.key}
        rangeChanged={({ startIndex }) => {
          if (startIndex - log.base < AHEAD) loadOlder();
        }}
        itemsRendered={(items) => first.onRendered(items)}
        totalListHeightChanged={(height) => first.onHeight(height)}
        components={{ Header: Edge, Footer: Edge }}
        itemContent={(_, line) => (
          <MessageRow
            line={line}
            state={stateOf(line, others)}
            watchEnd={watchEnd}
            unfolding={place.unfolding}
          />
        )}
      />
      {!atEnd && (
        <button
          type="button"
          className="absolute right-4 bottom-3 flex items-center gap-2 rounded-full border border-line bg-surface px-3 py-2 text-sm font-medium shadow-md"
          onClick={place.goToEnd}
          data-testid="jump-to-latest"
        >
          <DownIcon className="size-4" />
          {chat.unread > 0 ? `${chat.unread} new` : "Latest"}
        </button>
      )}
    </div>
  );
}

function useLines(chat: Chat, log: Log, me: User): Line[] {
  const entries = useSelect((state) => state.outbox.entries);
  return useMemo(
    () =>
      linesOf(
        log.messages,
        entries.filter((entry) => entry.conversation === chat.id),
        me.id,
      ),
    [log.messages, entries, chat.id, me.id],
  );
}

/** Counts how often the run began anew further on: then the list does, too. */
function useGeneration(base: number): number {
  const [held, setHeld] = useState({ base, generation: 0 });
  if (base === held.base) return held.generation;
  const generation = held.generation + (base > held.base ? 1 : 0);
  setHeld({ base, generation });
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
