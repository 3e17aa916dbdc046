import type { VirtuosoHandle } from "react-virtuoso";
import type { Anchor, Position, RowAnchor } from "./anchor";
import {
  anchorOf,
  canRead,
  reduce,
  type ScrollEffect,
  type ScrollEvent,
  type ScrollState,
  type Step,
} from "./scroll-state";

/** A change has settled after this many frames in which nothing moved. */
const STILL_FRAMES = 10;
/** A change that has not settled after this many frames is left alone. */
const SETTLE_FRAMES = 120;
/** A reader who scrolled no longer ago than this, in milliseconds, is still scrolling. */
const SCROLLING_MS = 200;
/** Input with which the reader takes over from the anchor. */
const INPUTS = ["wheel", "touchmove", "pointerdown", "keydown"] as const;

/** What the list cannot do by itself. */
export type Perform = (effect: Exclude<ScrollEffect, { type: "hold" }>) => void;

/**
 * Measures the list, tells its `ScrollState` what happens, and brings the list to where that
 * says it is.
 */
export class Scroller {
  /** For Virtuoso's `ref`. */
  readonly list: { current: VirtuosoHandle | null } = { current: null };
  private scroller: HTMLElement | null = null;
  private size = "";
  /** The scroll position when the list was last where it is to be. */
  private top = Number.POSITIVE_INFINITY;
  /** The next look at whether rows still move after a change; 0: it has settled. */
  private frame = 0;
  private frames = 0;
  private still = 0;
  /** The frame that reads where a scroll has led. */
  private scrolled = 0;
  private scrolledAt = Number.NEGATIVE_INFINITY;
  private readonly observer = new ResizeObserver(() => this.onResize());
  private readonly changed = new Set<() => void>();
  private undone: readonly ScrollEffect[];
  private perform: Perform | null = null;
  state: ScrollState;

  constructor([state, effects]: Step) {
    this.state = state;
    this.undone = effects;
  }

  /** Does what there is to do from now on. Returns a function that ends that. */
  readonly start = (perform: Perform) => {
    this.perform = perform;
    this.run(this.undone);
    this.undone = [];
    return () => {
      this.perform = null;
    };
  };

  /** Calls `tell` after every change of the state. Returns an unsubscribe function. */
  readonly subscribe = (tell: () => void) => {
    this.changed.add(tell);
    return () => void this.changed.delete(tell);
  };

  readonly canRead = () => canRead(this.state);

  readonly isScrolling = () => performance.now() - this.scrolledAt <= SCROLLING_MS;

  readonly shown = () => this.dispatch({ type: "shown" });

  readonly goToEnd = () => this.dispatch({ type: "to end" });

  readonly dispatch = (event: ScrollEvent) => {
    const before = this.state;
    const [state, effects] = reduce(before, event);
    this.state = state;
    this.run(effects);
    if (state !== before) for (const tell of this.changed) tell();
  };

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
    this.hold();
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
    this.dispatch({ type: "folding", anchor });
    // Runs after Virtuoso's older observers, and before anything is painted.
    const resized = new ResizeObserver(() => {
      resized.disconnect();
      this.restore(scroller, anchor);
    });
    resized.observe(row);
  };

  private run(effects: readonly ScrollEffect[]) {
    for (const effect of effects) {
      if (effect.type === "hold") this.hold();
      else this.perform?.(effect);
    }
  }

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
    const up = scroller.scrollTop < this.top;
    this.scrolledAt = performance.now();
    this.top = scroller.scrollTop;
    this.dispatch({ type: "scrolled", position: positionOf(scroller), up });
  };

  private onResize() {
    const { scroller } = this;
    if (scroller === null) return;
    const resized = this.size !== sizeOf(scroller);
    this.size = sizeOf(scroller);
    this.dispatch({ type: resized ? "resized" : "grown" });
  }

  private readonly onInput = () => {
    this.stop();
    this.dispatch({ type: "input" });
  };

  /** Restores the anchor now, and again while rows are drawn and measured. */
  private hold() {
    this.frames = 0;
    this.still = 0;
    this.settle();
  }

  private readonly settle = () => {
    const { scroller } = this;
    const anchor = anchorOf(this.state);
    if (scroller === null || anchor === null) return this.stop();
    const wasThere = this.restore(scroller, anchor);
    const goesOn = this.frame !== 0;
    this.frames = goesOn ? this.frames + 1 : 0;
    this.still = goesOn && wasThere ? this.still + 1 : 0;
    // The end may move for as long as messages arrive.
    const goneOn = isRow(anchor) && this.frames >= SETTLE_FRAMES;
    if (this.still >= STILL_FRAMES || goneOn) return this.settled(scroller);
    cancelAnimationFrame(this.frame);
    this.frame = requestAnimationFrame(this.settle);
  };

  private settled(scroller: HTMLElement) {
    this.stop();
    this.top = scroller.scrollTop;
    this.dispatch({ type: "settled", position: positionOf(scroller) });
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
    } else {
      const row = scroller.querySelector(`[data-item-index="${anchor.row}"]`);
      if (row === null) return this.bringIn(scroller, anchor.row);
      const { top, height } = row.getBoundingClientRect();
      const line = scroller.getBoundingClientRect().top + anchor.y;
      scroller.scrollTop += top + anchor.part * height - line;
    }
    this.top = scroller.scrollTop;
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
}

const isRow = (anchor: Anchor): anchor is RowAnchor => "row" in anchor;

const sizeOf = (element: HTMLElement) => `${element.clientWidth}×${element.clientHeight}`;

function positionOf(scroller: HTMLElement): Position {
  const { scrollHeight, scrollTop, clientHeight } = scroller;
  const fromEnd = Math.max(0, scrollHeight - scrollTop - clientHeight);
  return { fromEnd, row: rowInView(scroller) };
}

/** The first row that begins in view; if one row fills the view, the point at the top of it. */
function rowInView(scroller: HTMLElement): RowAnchor | null {
  const { top, bottom } = scroller.getBoundingClientRect();
  let anchor: RowAnchor | null = null;
  for (const element of scroller.querySelectorAll<HTMLElement>("[data-item-index]")) {
    const box = element.getBoundingClientRect();
    const row = Number(element.dataset.itemIndex);
    if (box.top >= bottom) break;
    if (box.top >= top) return { row, part: 0, y: box.top - top };
    if (box.bottom > top) anchor = { row, part: (top - box.top) / box.height, y: 0 };
  }
  return anchor;
}
