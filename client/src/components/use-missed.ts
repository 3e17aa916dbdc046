import { useLayoutEffect, useRef, useState } from "react";
import { hasGap, heldTo, type Log } from "../sdk/engine/log";
import type { UserId } from "../sdk/protocol/generated";
import { useSelect } from "./use-app";

/** Where messages are held in view, see `Place`. */
interface Opening {
  readonly openAt: (row: number) => void;
}

/**
 * Holds the first of the messages that were missed where a conversation opens,
 * when they come in behind the end that the reader was at: the end itself would
 * count all as read. `atEnd` as told by the place; the answer is the number of
 * the first one, for a list that was there before the page had caught up at all.
 */
export function useMissed(
  log: Log,
  me: UserId,
  place: Opening,
  atEnd: boolean | null,
): number | null {
  const caughtUp = useSelect((state) => state.caughtUp);
  const [early] = useState(!caughtUp);
  const [marked, setMarked] = useState<number | null>(null);
  const catchingUp = !caughtUp || hasGap(log);
  const before = useRef({ catchingUp, end: heldTo(log) });
  const first = useRef<number | null>(null);
  const isAtEnd = useRef(atEnd);
  isAtEnd.current = atEnd;

  useLayoutEffect(() => {
    const { current: known } = before;
    if (catchingUp || known.catchingUp) {
      const missed = log.messages.slice(Math.max(0, known.end - log.base));
      first.current ??= missed.find(({ sender }) => sender !== me)?.seq ?? null;
      if (first.current !== null && isAtEnd.current !== false) place.openAt(first.current);
      if (early) setMarked((held) => held ?? first.current);
    }
    if (!catchingUp) first.current = null;
    before.current = { catchingUp, end: catchingUp ? known.end : heldTo(log) };
  }, [catchingUp, log, me, place, early]);

  return marked;
}
