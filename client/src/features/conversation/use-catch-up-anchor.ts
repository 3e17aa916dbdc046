import { useLayoutEffect, useRef, useState } from "react";
import type { UserId } from "../../sdk/protocol/generated";
import { hasGap, indexOf, type Log, messagesAfter } from "../../sdk/timeline/log";
import { useSelect } from "../../ui/use-app";

/** Where the list is, see `ScrollAnchor`. */
interface Anchor {
  readonly openAt: (row: number) => void;
  readonly isUntouched: () => boolean;
}

/**
 * Keeps the first missed message in view when missed messages arrive below a reader
 * who is at the end: following the end would mark them all as read. `atEnd` says
 * whether the reader is at the end, or is about to be. Returns the number of the first
 * missed message if the list existed before the page had caught up. A list that opened
 * at `unread` and is at its end only because it held few messages goes back to `unread`.
 */
export function useCatchUpAnchor(
  log: Log,
  me: UserId,
  anchor: Anchor,
  atEnd: boolean,
  unread: number | null,
): number | null {
  const caughtUp = useSelect((state) => state.caughtUp);
  const [early] = useState(!caughtUp);
  const [marked, setMarked] = useState<number | null>(null);
  const catchingUp = !caughtUp || hasGap(log);
  const before = useRef({ catchingUp, end: log.end });
  const first = useRef<number | null>(null);
  /** Whether the list opened before the page had caught up, and it still has not. */
  const opening = useRef(catchingUp);
  const isAtEnd = useRef(atEnd);
  isAtEnd.current = atEnd;

  useLayoutEffect(() => {
    const { current: known } = before;
    if (catchingUp || known.catchingUp) {
      const missed = messagesAfter(log, known.end);
      first.current ??= missed.find(({ sender }) => sender !== me)?.seq ?? null;
      const opened = opening.current && anchor.isUntouched() ? unread : null;
      const row = first.current === null ? null : indexOf(log, opened ?? first.current);
      if (row !== null && isAtEnd.current) anchor.openAt(row);
      if (early) setMarked((held) => held ?? first.current);
    }
    if (!catchingUp) {
      first.current = null;
      opening.current = false;
    }
    before.current = { catchingUp, end: catchingUp ? known.end : log.end };
  }, [catchingUp, log, me, anchor, early, unread]);

  return marked;
}
