import { type RefObject, useState } from "react";
import type { VirtuosoHandle } from "react-virtuoso";

/** How far from the end still counts as being there, in pixels. */
const AT_END = 80;
/** After so many frames in which nothing moved, a change has settled. */
const STILL_FRAMES = 10;
/** After so many it is left to itself. */
const SETTLE_FRAMES = 120;
/** So much of what is read already is in view above what is new, in pixels. */
const CONTEXT = 48;
/** With these the reader takes over, whatever is being put back. */
const INPUTS = ["wheel", "touchmove", "pointerdown", "keydown"] as const;

/** Where the reader is: so many pixels from the end, or at a row. */
type Held =
  | { readonly fromEnd: number }
  /** `part` of the row is above a line that is `y` pixels below the top of the list. */
  | { readonly row: number; readonly part: number; readonly y: number };

/**
 * Opens the list at its end, or at row number `start`, and keeps the reader's
 * place from then on: the end, whatever comes in or changes its size, or else the
 * first row that begins in view, when the list changes its size.
 */
class Place {
  /** `null`: wherever the next layout shows it. */
  private held: Held | null;
  private scroller: HTMLElement | null = null;
  private size = "";
  /** Where the end was when it was held last. */
  private top = Number.POSITIVE_INFINITY;
  /** The next look at whether rows still move after a change; 0: it has settled. */
  private frame = 0;
  private frames = 0;
  private still = 0;
  private arrived: (() => void) | null = null;
  /** The look at where a scroll led. */
  private scrolled = 0;
  private readonly observer = new ResizeObserver(() => this.onResize());

  constructor(
    private readonly list: RefObject<VirtuosoHandle | null>,
    start: number | null,
    private readonly moved: (atEnd: boolean) => void,
  ) {
    this.held = start === null ? { fromEnd: 0 } : { row: start, part: 0, y: CONTEXT };
  }

  /** For Virtuoso's `scrollerRef`. */
  readonly attach = (scroller: HTMLElement | Window | null) => {
    this.detach();
    if (!(scroller instanceof HTMLElement)) return;
    this.scroller = scroller;
    this.size = sizeOf(scroller);
    scroller.addEventListener("scroll", this.onScroll, { passive: true });
    for (const input of INPUTS) scroller.addEventListener(input, this.onInput, { passive: true });
    this.observer.observe(scroller);
    const rows = scroller.querySelector('[data-testid="virtuoso-item-list"]');
    // With its padding, which stands for the rows that are not drawn.
    if (rows !== null) this.observer.observe(rows, { box: "border-box" });
    this.settle();
  };

  readonly goToEnd = () => {
    this.hold({ fromEnd: 0 });
    this.settle();
  };

  /** Goes to a row as when the list opens: what is new begins with it. */
  readonly openAt = (row: number) => {
    this.hold({ row, part: 0, y: CONTEXT });
    this.settle();
  };

  /**
   * The row around `element` is about to unfold, and keeps its beginning where it is,
   * or to fold, and keeps its end. Virtuoso alone would, for a reader who scrolled up
   * last, keep what is below it.
   */
  readonly folding = (element: Element, opens: boolean) => {
    const { scroller } = this;
    const row = element.closest<HTMLElement>("[data-item-index]");
    if (scroller === null || row === null) return;
    const { top, bottom } = row.getBoundingClientRect();
    const y = (opens ? top : bottom) - scroller.getBoundingClientRect().top;
    const held = { row: Number(row.dataset.itemIndex), part: opens ? 0 : 1, y };
    this.hold(held);
    this.settle();
    // Told after Virtuoso's, which are older: nothing is painted of what that does.
    const resized = new ResizeObserver(() => {
      resized.disconnect();
      this.restore(scroller, held);
    });
    resized.observe(row);
  };

  /** Whether it is still being brought to a row: what is in view then only passes. */
  readonly isOnItsWay = () => this.frame !== 0 && isRow(this.held);

  /** Tells one listener when it has got there; the answer ends that. */
  readonly onArrival = (tell: () => void) => {
    this.arrived = tell;
    return () => {
      if (this.arrived === tell) this.arrived = null;
    };
  };

  private detach() {
    this.observer.disconnect();
    cancelAnimationFrame(this.scrolled);
    this.stop();
    this.scroller?.removeEventListener("scroll", this.onScroll);
    for (const input of INPUTS) this.scroller?.removeEventListener(input, this.onInput);
    this.scroller = null;
  }

  private readonly onScroll = () => {
    cancelAnimationFrame(this.scrolled);
    // By then Virtuoso has drawn the rows that came into view.
    this.scrolled = requestAnimationFrame(this.onScrolled);
  };

  private readonly onScrolled = () => {
    const { scroller } = this;
    if (scroller === null) return;
    // Until a change has settled it is not the reader who scrolls.
    if (this.frame !== 0 || this.size !== sizeOf(scroller)) return;
    if (this.isOutrun(scroller)) this.settle();
    else this.hold(placeIn(scroller));
  };

  /**
   * Whether rows came in behind the end that was held, and were not followed yet:
   * a reader who leaves the end goes up.
   */
  private isOutrun(scroller: HTMLElement): boolean {
    const { held } = this;
    return (
      held !== null && !isRow(held) && isRow(placeIn(scroller)) && scroller.scrollTop >= this.top
    );
  }

  private onResize() {
    const { scroller } = this;
    if (scroller === null) return;
    const resized = this.size !== sizeOf(scroller);
    this.size = sizeOf(scroller);
    if (this.held === null) this.hold(placeIn(scroller));
    // History that comes in above is for Virtuoso to make up for.
    else if (resized || !isRow(this.held)) this.settle();
  }

  private readonly onInput = () => {
    if (this.frame !== 0) this.settled();
  };

  /** Puts the place back, and again for as long as rows are drawn and measured. */
  private readonly settle = () => {
    const { scroller, held } = this;
    if (scroller === null || held === null) return this.stop();
    const wasThere = this.restore(scroller, held);
    const goesOn = this.frame !== 0;
    this.frames = goesOn ? this.frames + 1 : 0;
    this.still = goesOn && wasThere ? this.still + 1 : 0;
    // The end may go on for as long as messages come in.
    const goneOn = isRow(held) && this.frames >= SETTLE_FRAMES;
    if (this.still >= STILL_FRAMES || goneOn) return this.settled();
    cancelAnimationFrame(this.frame);
    this.frame = requestAnimationFrame(this.settle);
  };

  private settled() {
    this.stop();
    if (this.scroller === null) return;
    const { held } = this;
    const now = placeIn(this.scroller);
    // A row that was put back stays the one to come back to.
    this.hold(isRow(now) && isRow(held) ? held : now);
    this.arrived?.();
  }

  private stop() {
    cancelAnimationFrame(this.frame);
    this.frame = 0;
  }

  /** Whether the list was there already. */
  private restore(scroller: HTMLElement, held: Held): boolean {
    const before = scroller.scrollTop;
    if (!isRow(held)) {
      scroller.scrollTop = scroller.scrollHeight - scroller.clientHeight - held.fromEnd;
      this.top = scroller.scrollTop;
    } else {
      const row = scroller.querySelector(`[data-item-index="${held.row}"]`);
      if (row === null) return this.bringIn(scroller, held.row);
      const { top, height } = row.getBoundingClientRect();
      const line = scroller.getBoundingClientRect().top + held.y;
      scroller.scrollTop += top + held.part * height - line;
    }
    return Math.abs(scroller.scrollTop - before) < 1;
  }

  /** Has a row drawn that is too far away now. */
  private bringIn(scroller: HTMLElement, row: number): false {
    const drawn = scroller.querySelector<HTMLElement>("[data-item-index]");
    if (drawn !== null) {
      const first = Number(drawn.dataset.itemIndex) - Number(drawn.dataset.index);
      this.list.current?.scrollToIndex({ index: row - first, align: "start" });
    }
    return false;
  }

  private hold(held: Held | null) {
    this.held = held;
    this.top = this.scroller?.scrollTop ?? Number.POSITIVE_INFINITY;
    if (held !== null) this.moved(!isRow(held));
  }
}

const isRow = (held: Held | null) => held !== null && "row" in held;

const sizeOf = (element: HTMLElement) => `${element.clientWidth}×${element.clientHeight}`;

function placeIn(scroller: HTMLElement): Held | null {
  const { scrollHeight, scrollTop, clientHeight } = scroller;
  const fromEnd = Math.max(0, scrollHeight - scrollTop - clientHeight);
  return fromEnd <= AT_END ? { fromEnd } : rowInView(scroller);
}

/** The first row that begins in view; when one fills it, the point where the view begins. */
function rowInView(scroller: HTMLElement): Held | null {
  const { top, bottom } = scroller.getBoundingClientRect();
  let held: Held | null = null;
  for (const element of scroller.querySelectorAll<HTMLElement>("[data-item-index]")) {
    const box = element.getBoundingClientRect();
    const row = Number(element.dataset.itemIndex);
    if (box.top >= bottom) break;
    if (box.top >= top) return { row, part: 0, y: box.top - top };
    if (box.bottom > top) held = { row, part: (top - box.top) / box.height, y: 0 };
  }
  return held;
}

/**
 * The place in the list, which opens at row number `start` or at its end, and
 * whether it is at the end; `null`: it is not where it opens yet.
 */
export function usePlace(list: RefObject<VirtuosoHandle | null>, start: number | null) {
  const [atEnd, setAtEnd] = useState<boolean | null>(null);
  const [place] = useState(() => new Place(list, start, setAtEnd));
  return { place, atEnd };
}
