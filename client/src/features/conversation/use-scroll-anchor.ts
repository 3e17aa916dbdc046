import { type RefObject, useState } from "react";
import type { VirtuosoHandle } from "react-virtuoso";

/** A reader this close to the end counts as being there, in pixels. */
const AT_END = 80;
/** A change has settled after this many frames in which nothing moved. */
const STILL_FRAMES = 10;
/** A change that has not settled after this many frames is left alone. */
const SETTLE_FRAMES = 120;
/** The height above the first new message that shows messages already read, in pixels. */
const CONTEXT = 48;
/** A reader who scrolled no longer ago than this, in milliseconds, is still scrolling. */
const SCROLLING_MS = 200;
/** Input with which the reader takes over from the anchor. */
const INPUTS = ["wheel", "touchmove", "pointerdown", "keydown"] as const;

/** What keeps its place on the screen: the end of the list, some pixels away, or a row. */
type Anchor =
  | { readonly fromEnd: number }
  /** `part` of the row is above a line that is `y` pixels below the top of the list. */
  | { readonly row: number; readonly part: number; readonly y: number };

/**
 * Opens the list at its end, or at row number `start`, and keeps what the reader
 * sees in place from then on. At the end, the list follows whatever arrives or
 * changes its size. Elsewhere, the first row that begins in view stays where it is
 * when the list changes its size.
 */
class ScrollAnchor {
  /** `null`: the next layout decides. */
  private anchor: Anchor | null;
  private scroller: HTMLElement | null = null;
  private size = "";
  /** The scroll position of the end when it was last the anchor. */
  private top = Number.POSITIVE_INFINITY;
  /** The next look at whether rows still move after a change; 0: it has settled. */
  private frame = 0;
  private frames = 0;
  private still = 0;
  private arrived: (() => void) | null = null;
  /** The frame that reads where a scroll has led. */
  private scrolled = 0;
  /** Whether the reader has done anything in the list, or gone to its end. */
  private touched = false;
  /** When the reader scrolled last. */
  private scrolledAt = Number.NEGATIVE_INFINITY;
  private readonly observer = new ResizeObserver(() => this.onResize());

  constructor(
    private readonly list: RefObject<VirtuosoHandle | null>,
    start: number | null,
    private readonly moved: (atEnd: boolean) => void,
  ) {
    this.anchor = start === null ? { fromEnd: 0 } : { row: start, part: 0, y: CONTEXT };
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
    this.touched = true;
    this.hold({ fromEnd: 0 });
    this.settle();
  };

  /** Goes to a row as when the list opens, because it is the first new one, or was asked for. */
  readonly openAt = (row: number) => {
    this.hold({ row, part: 0, y: CONTEXT });
    this.settle();
  };

  /**
   * History arrives above, which must move nothing. Virtuoso corrects the heights
   * that it guessed only for a reader who scrolls up; for others, this restores the anchor.
   */
  readonly stay = () => {
    if (isRow(this.anchor) && performance.now() - this.scrolledAt > SCROLLING_MS) this.settle();
  };

  /**
   * The row around `element` is about to unfold, which keeps its beginning in place,
   * or to fold, which keeps its end in place. Without this, Virtuoso keeps what is below
   * the row in place for a reader who last scrolled up.
   */
  readonly folding = (element: Element, opens: boolean) => {
    const { scroller } = this;
    const row = element.closest<HTMLElement>("[data-item-index]");
    if (scroller === null || row === null) return;
    const { top, bottom } = row.getBoundingClientRect();
    const y = (opens ? top : bottom) - scroller.getBoundingClientRect().top;
    const anchor = { row: Number(row.dataset.itemIndex), part: opens ? 0 : 1, y };
    this.hold(anchor);
    this.settle();
    // Runs after Virtuoso's older observers, and before anything is painted.
    const resized = new ResizeObserver(() => {
      resized.disconnect();
      this.restore(scroller, anchor);
    });
    resized.observe(row);
  };

  /** Whether the list is still moving to a row: what is visible meanwhile does not count as seen. */
  readonly isOnItsWay = () => this.frame !== 0 && isRow(this.anchor);

  /** Whether the reader has not touched the list since it opened. */
  readonly isUntouched = () => !this.touched;

  /** Calls one listener when the list has arrived at its anchor. Returns an unsubscribe function. */
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
    // By the next frame, Virtuoso has drawn the rows that came into view.
    this.scrolled = requestAnimationFrame(this.onScrolled);
  };

  private readonly onScrolled = () => {
    const { scroller } = this;
    if (scroller === null) return;
    // While a change settles, it is not the reader who scrolls.
    if (this.frame !== 0 || this.size !== sizeOf(scroller)) return;
    if (this.isOutrun(scroller)) return this.settle();
    this.scrolledAt = performance.now();
    this.hold(placeIn(scroller));
  };

  /**
   * Whether new rows arrived below the end that is the anchor, and the list has not
   * followed them yet. A reader who leaves the end scrolls up instead.
   */
  private isOutrun(scroller: HTMLElement): boolean {
    const { anchor } = this;
    return (
      anchor !== null &&
      !isRow(anchor) &&
      isRow(placeIn(scroller)) &&
      scroller.scrollTop >= this.top
    );
  }

  private onResize() {
    const { scroller } = this;
    if (scroller === null) return;
    const resized = this.size !== sizeOf(scroller);
    this.size = sizeOf(scroller);
    if (this.anchor === null) this.hold(placeIn(scroller));
    // A row is restored when history arrives, see `stay`, not with every change of a row.
    else if (resized || !isRow(this.anchor)) this.settle();
  }

  private readonly onInput = () => {
    this.touched = true;
    if (this.frame !== 0) this.settled();
  };

  /** Restores the anchor, and again while rows are drawn and measured. */
  private readonly settle = () => {
    const { scroller, anchor } = this;
    if (scroller === null || anchor === null) return this.stop();
    const wasThere = this.restore(scroller, anchor);
    const goesOn = this.frame !== 0;
    this.frames = goesOn ? this.frames + 1 : 0;
    this.still = goesOn && wasThere ? this.still + 1 : 0;
    // The end may move for as long as messages arrive.
    const goneOn = isRow(anchor) && this.frames >= SETTLE_FRAMES;
    if (this.still >= STILL_FRAMES || goneOn) return this.settled();
    cancelAnimationFrame(this.frame);
    this.frame = requestAnimationFrame(this.settle);
  };

  private settled() {
    this.stop();
    if (this.scroller === null) return;
    const { anchor } = this;
    const now = placeIn(this.scroller);
    // A row that was restored stays the anchor.
    this.hold(isRow(now) && isRow(anchor) ? anchor : now);
    this.arrived?.();
  }

  private stop() {
    cancelAnimationFrame(this.frame);
    this.frame = 0;
  }

  /** Returns whether the list was at the anchor already. */
  private restore(scroller: HTMLElement, anchor: Anchor): boolean {
    const before = scroller.scrollTop;
    if (!isRow(anchor)) {
      scroller.scrollTop = scroller.scrollHeight - scroller.clientHeight - anchor.fromEnd;
      this.top = scroller.scrollTop;
    } else {
      const row = scroller.querySelector(`[data-item-index="${anchor.row}"]`);
      if (row === null) return this.bringIn(scroller, anchor.row);
      const { top, height } = row.getBoundingClientRect();
      const line = scroller.getBoundingClientRect().top + anchor.y;
      scroller.scrollTop += top + anchor.part * height - line;
    }
    return Math.abs(scroller.scrollTop - before) < 1;
  }

  /** Has Virtuoso draw a row that is too far away to be in the document. */
  private bringIn(scroller: HTMLElement, row: number): false {
    const drawn = scroller.querySelector<HTMLElement>("[data-item-index]");
    if (drawn !== null) {
      const first = Number(drawn.dataset.itemIndex) - Number(drawn.dataset.index);
      this.list.current?.scrollToIndex({ index: row - first, align: "start" });
    }
    return false;
  }

  private hold(anchor: Anchor | null) {
    this.anchor = anchor;
    this.top = this.scroller?.scrollTop ?? Number.POSITIVE_INFINITY;
    if (anchor !== null) this.moved(!isRow(anchor));
  }
}

const isRow = (anchor: Anchor | null) => anchor !== null && "row" in anchor;

const sizeOf = (element: HTMLElement) => `${element.clientWidth}×${element.clientHeight}`;

function placeIn(scroller: HTMLElement): Anchor | null {
  const { scrollHeight, scrollTop, clientHeight } = scroller;
  const fromEnd = Math.max(0, scrollHeight - scrollTop - clientHeight);
  return fromEnd <= AT_END ? { fromEnd } : rowInView(scroller);
}

/** The first row that begins in view; if one row fills the view, the point at the top of it. */
function rowInView(scroller: HTMLElement): Anchor | null {
  const { top, bottom } = scroller.getBoundingClientRect();
  let anchor: Anchor | null = null;
  for (const element of scroller.querySelectorAll<HTMLElement>("[data-item-index]")) {
    const box = element.getBoundingClientRect();
    const row = Number(element.dataset.itemIndex);
    if (box.top >= bottom) break;
    if (box.top >= top) return { row, part: 0, y: box.top - top };
    if (box.bottom > top) anchor = { row, part: (top - box.top) / box.height, y: 0 };
  }
  return anchor;
}

/**
 * The scroll anchor of a list that opens at row number `start` or at its end.
 * `atEnd` is `null` until the list has reached where it opens.
 */
export function useScrollAnchor(list: RefObject<VirtuosoHandle | null>, start: number | null) {
  const [atEnd, setAtEnd] = useState<boolean | null>(null);
  const [anchor] = useState(() => new ScrollAnchor(list, start, setAtEnd));
  return { anchor, atEnd };
}
