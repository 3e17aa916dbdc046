import { type FocusEvent, type KeyboardEvent, type RefObject, useState } from "react";
import type { VirtuosoHandle } from "react-virtuoso";

const KEYS: ReadonlySet<string> = new Set([
  "ArrowUp",
  "ArrowDown",
  "PageUp",
  "PageDown",
  "Home",
  "End",
]);

/**
 * Moves the focus from row to row by the keys that scroll: of all rows only some
 * are drawn, so Tab alone does not lead to the others. The list itself is the one
 * stop for Tab; its first arrow key goes to the last row in view, or back to the
 * row that had the focus.
 */
class RowFocus {
  /** The number of the first row, as `data-item-index` has it, and how many there are. */
  first = 0;
  count = 0;
  /** Goes to the end, and keeps there. */
  goToEnd: () => void = () => {};
  /** The number of the row that has or had the focus. */
  private at: number | null = null;
  /** What had the focus, until it is known to be elsewhere. */
  private focused: HTMLElement | null = null;

  constructor(private readonly list: RefObject<VirtuosoHandle | null>) {}

  readonly onFocus = ({ target }: FocusEvent<HTMLElement>) => {
    this.focused = target;
    this.at = rowNumber(target) ?? this.at;
  };

  readonly onBlur = ({ target, relatedTarget }: FocusEvent<HTMLElement>) => {
    if (relatedTarget !== null || target.isConnected) this.focused = null;
  };

  /** Keeps the focus in the list when the row that had it is not drawn any more. */
  readonly onRendered = () => {
    const { focused } = this;
    if (focused === null || focused.isConnected || document.activeElement !== document.body) return;
    logOf(document)?.focus({ preventScroll: true });
  };

  readonly onKeyDown = (event: KeyboardEvent<HTMLElement>) => {
    if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const log = logOf(event.currentTarget);
    if (!KEYS.has(event.key) || !(event.target instanceof HTMLElement)) return;
    if (log === null || this.count === 0 || !log.contains(event.target)) return;
    const current = rowNumber(event.target);
    const next = this.next(event.key, current, log);
    if (next === null) return;
    event.preventDefault();
    this.go(next, log);
  };

  /** Where a key leads; `null`: it scrolls, within a row that is taller than what is in view. */
  private next(key: string, current: number | null, log: HTMLElement): number | null {
    const end = this.first + this.count - 1;
    if (key === "Home") return this.first;
    if (key === "End") return end;
    const up = key.endsWith("Up");
    if (current === null) return this.within(this.at ?? lastInView(log) ?? end);
    const row = drawn(log, current);
    if (row !== null && goesOn(row, log, up)) return null;
    const next = current + (up ? -1 : 1);
    return this.within(key.startsWith("Page") && row !== null ? pageFrom(row, log, up) : next);
  }

  private within(row: number): number {
    return Math.max(this.first, Math.min(row, this.first + this.count - 1));
  }

  private go(number: number, log: HTMLElement): void {
    if (number === this.first + this.count - 1) this.goToEnd();
    const row = drawn(log, number);
    if (row !== null) {
      focusRow(row);
      return;
    }
    this.list.current?.scrollIntoView({
      index: number - this.first,
      // By then the row has been scrolled to; it is drawn with the next frame.
      done: () => requestAnimationFrame(() => focusRow(drawn(log, number))),
    });
  }
}

/** The keys and the focus of a list of `count` rows that are numbered from `first` on. */
export function useRowFocus(
  list: RefObject<VirtuosoHandle | null>,
  first: number,
  count: number,
  goToEnd: () => void,
): RowFocus {
  const [focus] = useState(() => new RowFocus(list));
  Object.assign(focus, { first, count, goToEnd });
  return focus;
}

const logOf = (root: ParentNode) => root.querySelector<HTMLElement>('[role="log"]');

const drawn = (log: HTMLElement, number: number) =>
  log.querySelector<HTMLElement>(`[data-item-index="${number}"]`);

function rowNumber(inside: HTMLElement): number | null {
  const row = inside.closest<HTMLElement>("[data-item-index]");
  return row === null ? null : Number(row.dataset.itemIndex);
}

function focusRow(row: HTMLElement | null): void {
  const message = row?.querySelector<HTMLElement>("article");
  message?.focus({ preventScroll: true });
  row?.scrollIntoView({ block: "nearest" });
}

/** Whether there is more of a row in that direction than is in view. */
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
