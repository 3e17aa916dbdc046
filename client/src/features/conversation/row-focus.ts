import type { FocusEvent, RefObject } from "react";
import type { VirtuosoHandle } from "react-virtuoso";
import { signOf } from "../../ui/keys";

/** The rows of a list. */
export interface ListRows {
  /** The number of the first row, as `data-item-index` has it, and how many there are. */
  readonly first: number;
  readonly count: number;
  /** Goes to the end, and stays there. */
  readonly goToEnd: () => void;
}

/**
 * Moves the focus from row to row with the keys that scroll: only some rows
 * are rendered, so Tab alone does not reach the others. The list itself is the one
 * stop for Tab; its first arrow key goes to the last row in view, or back to the
 * row that had the focus. The buttons of a row that has the focus have keys.
 */
export class RowFocus {
  /** The number of the row that has or had the focus. */
  private at: number | null = null;
  /** The element that had the focus, until another one has it. */
  private focused: HTMLElement | null = null;
  /** Whether that showed, as after a key: with the next key it does after a click, too. */
  private shown = false;

  constructor(
    private readonly list: RefObject<VirtuosoHandle | null>,
    private readonly rows: ListRows,
  ) {}

  /** Focuses a row that the list is being brought to, and marks it for a moment. */
  readonly show = (number: number) => {
    const log = logOf(document);
    // Until the row is rendered, the list has the focus.
    log?.focus({ preventScroll: true });
    if (log !== null) focusOnceDrawn(log, number, MARK_MS);
  };

  readonly onFocus = (target: HTMLElement) => {
    this.focused = target;
    this.shown = target.matches(":focus-visible");
    this.at = rowNumber(target) ?? this.at;
  };

  readonly onBlur = ({ target, relatedTarget }: FocusEvent<HTMLElement>) => {
    if (relatedTarget !== null) this.focused = null;
    // One that is being removed is connected until it has been.
    else
      queueMicrotask(() => {
        if (target.isConnected && this.focused === target) this.focused = null;
      });
  };

  /** Keeps the focus in the list when the focused row is no longer rendered. */
  readonly onRendered = () => {
    const { focused } = this;
    if (focused === null || focused.isConnected || document.activeElement !== document.body) return;
    logOf(document)?.focus({ preventScroll: true });
  };

  /** A key was pressed in the element around the list; `moves`: the focus, from row to row. */
  readonly onKeyDown = (event: KeyboardEvent, around: HTMLElement, moves: boolean) => {
    const log = logOf(around);
    if (!(event.target instanceof HTMLElement)) return;
    // On a message that was clicked, letters are written.
    const button = this.shown ? buttonOf(event.target, signOf(event)) : null;
    if (button !== null) {
      event.preventDefault();
      button.click();
    }
    if (!moves) return;
    if (log === null || this.rows.count === 0 || !log.contains(event.target)) return;
    const current = rowNumber(event.target);
    const next = this.next(event.key, current, log);
    if (next === null) return;
    event.preventDefault();
    this.go(next, log);
  };

  /** The row that a key leads to; `null` if it scrolls within a row taller than the view. */
  private next(key: string, current: number | null, log: HTMLElement): number | null {
    const end = this.rows.first + this.rows.count - 1;
    if (key === "Home") return this.rows.first;
    if (key === "End") return end;
    const up = key.endsWith("Up");
    if (current === null) return this.within(this.at ?? lastInView(log) ?? end);
    const row = drawn(log, current);
    if (row !== null && goesOn(row, log, up)) return null;
    const next = current + (up ? -1 : 1);
    return this.within(key.startsWith("Page") && row !== null ? pageFrom(row, log, up) : next);
  }

  private within(row: number): number {
    return Math.max(this.rows.first, Math.min(row, this.rows.first + this.rows.count - 1));
  }

  private go(number: number, log: HTMLElement): void {
    if (number === this.rows.first + this.rows.count - 1) this.rows.goToEnd();
    const row = drawn(log, number);
    if (row !== null) {
      focusRow(row);
      return;
    }
    // The focused row may be removed on the way.
    log.focus({ preventScroll: true });
    this.list.current?.scrollIntoView({
      index: number - this.rows.first,
      // The list has scrolled to the row, which is rendered in one of the next frames.
      done: () => focusOnceDrawn(log, number),
    });
  }
}

const logOf = (root: ParentNode) => root.querySelector<HTMLElement>('[role="log"]');

const drawn = (log: HTMLElement, number: number) =>
  log.querySelector<HTMLElement>(`[data-item-index="${number}"]`);

function rowNumber(inside: HTMLElement): number | null {
  const row = inside.closest<HTMLElement>("[data-item-index]");
  return row === null ? null : Number(row.dataset.itemIndex);
}

/** The button of a message that has this key, while the message itself has the focus. */
function buttonOf(message: HTMLElement, key: string): HTMLElement | null {
  if (!message.matches("article")) return null;
  return message.querySelector<HTMLElement>(`[aria-keyshortcuts="${CSS.escape(key)}"]`);
}

function focusRow(row: HTMLElement | null): void {
  const message = row?.querySelector<HTMLElement>("article");
  message?.focus({ preventScroll: true });
  row?.scrollIntoView({ block: "nearest" });
}

/** How long a row is marked for eyes that look for it. */
const MARK_MS = 2_000;

/** How many frames to wait for a row to be rendered. */
const FRAMES_MAX = 60;

/** Focuses a row when it is rendered, unless the focus has moved meanwhile, and marks it for `markMs`. */
function focusOnceDrawn(log: HTMLElement, number: number, markMs = 0, frames = 0): void {
  requestAnimationFrame(() => {
    if (document.activeElement !== log) return;
    const row = drawn(log, number);
    focusRow(row);
    // A list that has just been put there hides its rows at first, which take no focus.
    if (row !== null && document.activeElement !== log) {
      if (markMs > 0) row.animate({ background: ["var(--color-chosen)", "transparent"] }, markMs);
    } else if (frames < FRAMES_MAX) focusOnceDrawn(log, number, markMs, frames + 1);
  });
}

/** Whether a row extends beyond the view in that direction. */
function goesOn(row: HTMLElement, log: HTMLElement, up: boolean): boolean {
  const [box, view] = [row.getBoundingClientRect(), log.getBoundingClientRect()];
  return up ? box.top < view.top - 1 : box.bottom > view.bottom + 1;
}

/** The number of the row that is about one page away. */
function pageFrom(row: HTMLElement, log: HTMLElement, up: boolean): number {
  const target = row.getBoundingClientRect().top + (up ? -1 : 1) * log.clientHeight;
  const rows = [...log.querySelectorAll<HTMLElement>("[data-item-index]")];
  const away = (each: HTMLElement) => Math.abs(each.getBoundingClientRect().top - target);
  const [first = row] = rows.sort((a, b) => away(a) - away(b));
  return Number(first.dataset.itemIndex);
}

function lastInView(log: HTMLElement): number | null {
  const { bottom } = log.getBoundingClientRect();
  const rows = [...log.querySelectorAll<HTMLElement>("[data-item-index]")];
  const last = rows.findLast((row) => row.getBoundingClientRect().top < bottom);
  return last === undefined ? null : Number(last.dataset.itemIndex);
}
