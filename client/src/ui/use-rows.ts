import { type FocusEvent, type KeyboardEvent, type RefObject, useRef, useState } from "react";

interface Rows<T extends HTMLElement> {
  /** What the list itself needs. */
  readonly list: {
    readonly ref: RefObject<T | null>;
    readonly onFocus: (event: FocusEvent<HTMLElement>) => void;
    readonly onKeyDown: (event: KeyboardEvent<HTMLElement>) => void;
  };
  /** The row that Tab leads to: the last one that had the focus, else `first`, else the first. */
  readonly stopOf: (keys: readonly string[], first?: string | null) => string | undefined;
}

/**
 * Makes a list one stop for Tab: arrows, Home and End lead from row to row. A row is
 * the control with `data-row`, its key in the list.
 */
export function useRows<T extends HTMLElement>(): Rows<T> {
  const ref = useRef<T>(null);
  const [last, setLast] = useState<string | null>(null);
  return {
    list: {
      ref,
      onFocus: ({ target }) => setLast(rowOf(target)?.dataset.row ?? null),
      onKeyDown: (event) => {
        const next = nextRow(event);
        if (next === undefined) return;
        event.preventDefault();
        next.focus();
        next.scrollIntoView({ block: "nearest" });
      },
    },
    stopOf: (keys, first = null) =>
      [last, first].find((key) => key !== null && keys.includes(key)) ?? keys[0],
  };
}

/** Focuses the first row of all lists inside. */
export function focusFirstRow(inside: HTMLElement): boolean {
  const first = rowsIn(inside)[0];
  first?.focus();
  return first !== undefined;
}

const rowsIn = (inside: HTMLElement) => [...inside.querySelectorAll<HTMLElement>("[data-row]")];

const rowOf = (target: HTMLElement) => target.closest<HTMLElement>("[data-row]");

function nextRow(event: KeyboardEvent<HTMLElement>): HTMLElement | undefined {
  const { key, currentTarget, target, altKey, ctrlKey, metaKey, shiftKey } = event;
  if (altKey || ctrlKey || metaKey || shiftKey || !(target instanceof HTMLElement)) return;
  const rows = rowsIn(currentTarget);
  const row = rowOf(target);
  if (row === null) return;
  const at = rows.indexOf(row);
  switch (key) {
    case "ArrowDown":
      return rows[at + 1];
    case "ArrowUp":
      return rows[at - 1];
    case "Home":
      return rows[0];
    case "End":
      return rows.at(-1);
    default:
      return;
  }
}
