import type { Anchor, Position, RowAnchor } from "./anchor";
import {
  firstAfter,
  firstUnread,
  isCatchingUp,
  isFilling,
  passesNothing,
  rowOf,
  seqOf,
  type View,
} from "./view";

/** A reader this close to the end counts as being there, in pixels. */
const AT_END = 80;
/** The height above the first new message that shows messages already read, in pixels. */
export const CONTEXT = 48;
/** More is loaded when fewer rows than this are left above or below. */
const AHEAD = 30;

/** Where a reader is, by the number of a message: each run of the log counts its rows anew. */
export type Place =
  | { readonly is: "end" }
  | {
      readonly is: "row";
      readonly seq: number;
      readonly part: number;
      readonly y: number;
      readonly reads: boolean;
    };

/** What the list goes to as soon as it is held. */
type Due =
  /** The first unread message, or the end if there is none. */
  | { readonly is: "unread" }
  /** A message that the reader asked for. */
  | { readonly is: "jump"; readonly seq: number }
  /** The end, whatever is unread before it. */
  | Place;

type At =
  | { readonly is: "opening" }
  /** `arrives`: from elsewhere; otherwise the row is kept where it is. */
  | { readonly is: "moving"; readonly to: RowAnchor; readonly arrives: boolean }
  | { readonly is: "at-end"; readonly fromEnd: number }
  | { readonly is: "reading"; readonly anchor: RowAnchor };

/**
 * Where the list of one conversation is. `hold` restores the anchor until nothing moves.
 *
 * | event          | opening        | moving          | at-end               | reading             |
 * |----------------|----------------|-----------------|----------------------|---------------------|
 * | view           | load what is   | –               | moving to what was   | older rows: moving, |
 * |                | due            |                 | missed               | to stay             |
 * | view, due held | moving, at-end | moving, at-end  | moving, at-end       | moving, at-end      |
 * | view, new run  | opening        | opening         | opening              | opening             |
 * | scrolled       | –              | –               | reading if it is up  | at-end if it is near|
 * | settled        | –              | at-end, reading | reading if it is far | –                   |
 * | input          | –              | reading         | –                    | –                   |
 * | resized        | –              | hold            | hold                 | moving, to stay     |
 * | grown          | –              | –               | hold                 | –                   |
 * | shown          | –              | –               | moving to the first  | –                   |
 * |                |                |                 | unread message       |                     |
 * | folding        | –              | moving, to stay | moving, to stay      | moving, to stay     |
 * | jump           | (due)          | moving, or load | moving, or load      | moving, or load     |
 * | back           | –              | moving, at-end, or load                                      |
 * | to end         | (due)          | at-end, or load | at-end               | at-end, or load     |
 * | timeout        | moving, at-end | –               | –                    | –                   |
 * | rendered       | –              | load older, newer                      |                     |
 *
 * Opening ends when what is `due` is held, or with a timeout. After a timeout, and while a jump
 * loads, the list is used as it is. One's own new message is as `to end`.
 */
export interface ScrollState {
  readonly at: At;
  readonly view: View;
  readonly due: Due | null;
  /** The run in which what is due was asked for. */
  readonly asked: number | null;
  /** Whether what comes into view counts as read, with all before it: nothing was passed over. */
  readonly reads: boolean;
  /** The number of the first message that is new to the reader, marked as such. */
  readonly fresh: number | null;
  /** Where the reader was before a jump. */
  readonly back: Place | null;
  /** Whether the list opened before the page had caught up with the server, which it still has not. */
  readonly early: boolean;
  /** Whether the reader has done anything in the list. */
  readonly touched: boolean;
  /** The end of the run when the page began to catch up; `null` unless it does. */
  readonly missedAfter: number | null;
}

export type ScrollEvent =
  /** The messages, or what is known of them, have changed. `scrolling`: the reader scrolls just now. */
  | { readonly type: "view"; readonly view: View; readonly scrolling: boolean }
  /** The reader has scrolled; `up`: away from the end. */
  | { readonly type: "scrolled"; readonly position: Position; readonly up: boolean }
  /** Nothing moves any more after `hold`. */
  | { readonly type: "settled"; readonly position: Position }
  /** The reader touches the list: it moves no further by itself. */
  | { readonly type: "input" }
  /** The list itself, or what is in it, has another size. */
  | { readonly type: "resized" | "grown" }
  /** The page is visible again. */
  | { readonly type: "shown" }
  /** A row is about to change its height, around an edge that stays. */
  | { readonly type: "folding"; readonly anchor: RowAnchor }
  | { readonly type: "jump"; readonly seq: number }
  | { readonly type: "back" }
  | { readonly type: "to end" }
  | { readonly type: "timeout" }
  /** How many rows there are beyond those rendered. */
  | { readonly type: "rendered"; readonly above: number; readonly below: number };

export type ScrollEffect =
  | { readonly type: "hold" }
  | { readonly type: "load older" | "load newer" }
  /** Around a number, or the end. */
  | { readonly type: "load around"; readonly seq: number | null }
  /** The reader looks for this row. */
  | { readonly type: "show"; readonly row: number }
  /** The message that the reader looks for is not there. */
  | { readonly type: "absent" };

export type Step = readonly [ScrollState, readonly ScrollEffect[]];

const HOLD: readonly ScrollEffect[] = [{ type: "hold" }];
const END: At = { is: "at-end", fromEnd: 0 };

/** Opens a list where the reader was, or else at the first unread message. */
export function open(view: View, place: Place | null): Step {
  return pursue(
    {
      at: { is: "opening" },
      view,
      due: null,
      asked: null,
      reads: false,
      fresh: null,
      back: null,
      early: false,
      touched: false,
      missedAfter: null,
    },
    dueAt(place),
  );
}

export function reduce(state: ScrollState, event: ScrollEvent): Step {
  const { at } = state;
  if (event.type === "view") return onView(state, event.view, event.scrolling);
  if (event.type === "jump")
    return pursue(
      { ...state, touched: true, back: placeOf(state) },
      { is: "jump", seq: event.seq },
    );
  if (event.type === "to end") return toEnd({ ...state, reads: true });
  if (at.is === "opening") return event.type === "timeout" ? onTimeout(state) : [state, []];
  switch (event.type) {
    case "scrolled":
      return onScrolled(state, event.position, event.up);
    case "settled":
      return onSettled(state, event.position);
    case "input":
      return [onInput(state), []];
    case "resized":
      return [at.is === "reading" ? stay(state, at.anchor) : state, HOLD];
    case "grown":
      return [state, at.is === "at-end" ? HOLD : []];
    case "shown": {
      const row = at.is === "at-end" ? rowOf(state.view, firstUnread(state.view)) : null;
      return row === null ? [state, []] : [arriveAt(state, row), HOLD];
    }
    case "folding":
      return [stay(state, event.anchor), HOLD];
    case "back":
      return state.back === null
        ? [state, []]
        : pursue({ ...state, back: null }, dueAt(state.back));
    case "rendered":
      return [state, loadsBeyond(state.view, event.above, event.below)];
    case "timeout":
      return [state, []];
    default:
      return unreachable(event);
  }
}

/** What the list holds on to; `null` while there is none. */
export function anchorOf({ at }: ScrollState): Anchor | null {
  if (at.is === "opening") return null;
  if (at.is === "at-end") return at;
  return at.is === "moving" ? at.to : at.anchor;
}

/** Whether what is in view now counts as read. */
export function canRead({ at, reads }: ScrollState): boolean {
  return reads && (at.is === "at-end" || at.is === "reading");
}

/** Where the reader is, to return to. */
export function placeOf({ at, view, due, reads }: ScrollState): Place | null {
  if (at.is === "opening") return due?.is === "row" ? due : null;
  if (at.is === "at-end") return { is: "end" };
  const { row, part, y } = at.is === "moving" ? at.to : at.anchor;
  const seq = seqOf(view, row);
  return seq === null ? null : { is: "row", seq, part, y, reads };
}

/** Whoever was at the end returns to what they have not read, as after any absence. */
const dueAt = (place: Place | null): Due => (place?.is === "row" ? place : { is: "unread" });

function onView(before: ScrollState, view: View, scrolling: boolean): Step {
  const state = { ...before, view };
  if (view.log.run !== before.view.log.run) {
    const due = before.due ?? dueAt(placeOf(before));
    return pursue({ ...state, at: { is: "opening" }, missedAfter: null }, due);
  }
  if (state.due !== null && (state.at.is === "opening" || isHeld(state.due, view)))
    return pursue(state, state.due);
  if (state.at.is === "opening") return [state, []];
  const [next, effects] = follow(before, view, scrolling);
  const { length } = view.log.messages;
  return [next, [...effects, ...loadsBeyond(view, length, AHEAD)]];
}

/** The rows around the reader have changed. */
function follow(before: ScrollState, view: View, scrolling: boolean): Step {
  const { at, early, fresh, touched } = before;
  const { log } = before.view;
  const catchingUp = isCatchingUp(view);
  const after = before.missedAfter ?? (catchingUp ? log.end : null);
  const missed = after === null ? null : firstAfter(view, after);
  const state = {
    ...before,
    view,
    fresh: fresh ?? (early ? missed : null),
    early: early && catchingUp,
    missedAfter: catchingUp ? after : null,
  };
  const changed = view.log !== log || catchingUp !== isCatchingUp(before.view);
  const { written } = before.view;
  if (written !== undefined && view.written && view.written !== written)
    return toEnd({ ...state, reads: passesNothing(view, Number.POSITIVE_INFINITY) });
  if (at.is === "at-end" && changed) {
    // A list that opened too early, where it is at its end only because it held few messages.
    const row = rowOf(view, early && !touched && missed !== null ? (fresh ?? missed) : missed);
    if (row !== null) return [arriveAt(state, row), HOLD];
    const followed = view.log.end === log.end ? state : { ...state, at: END };
    return [followed, view.log.firstIndex > log.firstIndex ? HOLD : []];
  }
  const older = view.log.firstIndex < log.firstIndex;
  // For who scrolls, the list itself keeps the place.
  return at.is === "reading" && older && !scrolling ? [stay(state, at.anchor), HOLD] : [state, []];
}

/** Goes to what is due if that is held, and asks for it otherwise. */
function pursue(state: ScrollState, due: Due): Step {
  const { view } = state;
  if (isHeld(due, view)) return arrive(opened({ ...state, due: null, asked: null }), due);
  const asked = state.due === due ? state.asked : null;
  const wanted = { ...state, due, asked };
  if (asked === view.log.run) return [wanted, []];
  const isComing = due.is === "unread" && isFilling(view.log) && view.log.base <= view.read;
  if (isComing || (isEnd(due, view) && !view.log.detached)) return [wanted, []];
  const seq = isEnd(due, view) ? null : "seq" in due ? due.seq : view.read + 1;
  return [{ ...wanted, asked: view.log.run }, [{ type: "load around", seq }]];
}

const isEnd = (due: Due, view: View) =>
  due.is === "end" || (due.is === "unread" && view.unread === 0);

function isHeld(due: Due, view: View): boolean {
  const { log, read } = view;
  if (due.is === "end") return !log.detached;
  if ("seq" in due)
    return (log.base < due.seq && due.seq <= log.end) || (due.seq > log.known && view.caughtUp);
  if (isFilling(log)) return false;
  if (view.unread === 0) return !log.detached;
  return log.base <= read && (!log.detached || log.end > read);
}

function arrive(state: ScrollState, due: Due): Step {
  const { view } = state;
  switch (due.is) {
    case "end":
      return [{ ...state, at: END }, HOLD];
    case "jump": {
      const row = rowOf(view, due.seq);
      if (row === null) {
        const stays = { ...state, back: null };
        const [next, effects]: Step =
          state.at.is === "opening" ? pursue(stays, { is: "unread" }) : [stays, []];
        return [next, [...effects, { type: "absent" }]];
      }
      const reads = passesNothing(view, due.seq);
      return [{ ...arriveAt(state, row), reads }, [...HOLD, { type: "show", row }]];
    }
    case "row": {
      const row = rowOf(view, due.seq);
      if (row === null) return pursue(state, { is: "unread" });
      const { part, y } = due;
      const reads = due.reads || passesNothing(view, due.seq);
      return [{ ...stay(state, { row, part, y }), reads }, HOLD];
    }
    case "unread":
      return arriveAtUnread(state);
    default:
      return unreachable(due);
  }
}

function arriveAtUnread(state: ScrollState): Step {
  const { view } = state;
  const first = firstUnread(view);
  const next = { ...state, reads: passesNothing(view, first ?? view.log.end), fresh: first };
  const row = rowOf(view, first);
  return [row === null ? { ...next, at: END } : arriveAt(next, row), HOLD];
}

/** Shows what is held, and still goes to what is due if the reader has not touched the list. */
function onTimeout(state: ScrollState): Step {
  return state.view.log.messages.length === 0 ? [state, []] : arriveAtUnread(opened(state));
}

function opened(state: ScrollState): ScrollState {
  const { at, view } = state;
  if (at.is !== "opening") return state;
  const early = isCatchingUp(view);
  return { ...state, early, missedAfter: early ? view.log.end : null };
}

function onScrolled(state: ScrollState, position: Position, up: boolean): Step {
  const { at, view } = state;
  if (at.is === "moving") return [state, []];
  const isNear = position.fromEnd <= AT_END && !view.log.detached;
  // New rows arrived, and the list has not followed them yet.
  if (at.is === "at-end" && !isNear && !up) return [state, HOLD];
  const next = withReads(state, position);
  if (isNear) return [{ ...next, at: { is: "at-end", fromEnd: position.fromEnd } }, []];
  const { row } = position;
  return [row === null ? next : { ...next, at: { is: "reading", anchor: row } }, []];
}

function onSettled(state: ScrollState, position: Position): Step {
  const { at, view } = state;
  const { fromEnd, row } = position;
  const next = withReads(state, position);
  if (at.is === "at-end")
    return [
      fromEnd > AT_END && row !== null ? { ...next, at: { is: "reading", anchor: row } } : next,
      [],
    ];
  if (at.is !== "moving") return [next, []];
  if (view.log.detached || fromEnd > (at.arrives ? CONTEXT : AT_END))
    return [{ ...next, at: { is: "reading", anchor: at.to } }, []];
  // Whoever arrives so near the end that what was gone to stays in view is to see all of it.
  if (at.arrives) return [{ ...next, at: END }, HOLD];
  return [{ ...next, at: { is: "at-end", fromEnd } }, []];
}

function onInput(state: ScrollState): ScrollState {
  const { at, due } = state;
  const asked = due?.is === "jump" || due?.is === "end";
  const next = { ...state, touched: true, due: asked ? due : null };
  return at.is === "moving" ? { ...next, at: { is: "reading", anchor: at.to } } : next;
}

function toEnd(state: ScrollState): Step {
  return pursue({ ...state, touched: true, back: null }, { is: "end" });
}

const arriveAt = (state: ScrollState, row: number): ScrollState => ({
  ...state,
  at: { is: "moving", to: { row, part: 0, y: CONTEXT }, arrives: true },
});

const stay = (state: ScrollState, to: RowAnchor): ScrollState => ({
  ...state,
  at: { is: "moving", to, arrives: false },
});

/** Reading goes on once the first unread message is in view, or below it. */
function withReads(state: ScrollState, { row }: Position): ScrollState {
  const seq = row === null ? null : seqOf(state.view, row.row);
  return state.reads || seq === null || !passesNothing(state.view, seq)
    ? state
    : { ...state, reads: true };
}

function loadsBeyond({ log }: View, above: number, below: number): ScrollEffect[] {
  const loads: ScrollEffect[] = [];
  if (above < AHEAD && log.base > 0) loads.push({ type: "load older" });
  if (below < AHEAD && log.detached) loads.push({ type: "load newer" });
  return loads;
}

function unreachable(_: never): never {
  throw new Error("every case is handled");
}
