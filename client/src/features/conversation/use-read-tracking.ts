import { useEffect, useMemo } from "react";

/** Where the list is, see `Scroller`. */
interface Scroll {
  readonly canRead: () => boolean;
  readonly shown: () => void;
  readonly subscribe: (tell: () => void) => () => void;
}

/** Reports the highest number of the messages whose end is in view, while the page is visible. */
class ReadTracker {
  private readonly inView = new Set<number>();
  private readonly observer = new IntersectionObserver((entries) => {
    for (const entry of entries) this.note(entry.target, entry.isIntersecting);
    this.report();
  });

  constructor(
    private readonly seen: (seq: number) => void,
    private readonly scroll: Scroll,
  ) {}

  /** A ref for the end of a message, which carries its number as `data-end`. */
  readonly watch = (end: HTMLElement) => {
    this.observer.observe(end);
    return () => {
      this.observer.unobserve(end);
      this.note(end, false);
    };
  };

  readonly report = () => {
    if (document.visibilityState !== "visible" || this.inView.size === 0) return;
    if (!this.scroll.canRead()) return;
    this.seen(Math.max(...this.inView));
  };

  private note(end: Element, inView: boolean) {
    const seq = Number((end as HTMLElement).dataset.end);
    if (inView) this.inView.add(seq);
    else this.inView.delete(seq);
  }
}

/**
 * Returns a ref for the ends of messages. Calls `seen` with the highest number
 * of those in view. A message that is taller than the screen counts once its end
 * was in view.
 */
export function useReadTracking(seen: (seq: number) => void, scroll: Scroll) {
  const observer = useMemo(() => new ReadTracker(seen, scroll), [seen, scroll]);
  useEffect(() => {
    let could = false;
    const unsubscribe = scroll.subscribe(() => {
      const can = scroll.canRead();
      if (can && !could) observer.report();
      could = can;
    });
    const onChange = () => {
      if (document.visibilityState === "visible") scroll.shown();
      observer.report();
    };
    document.addEventListener("visibilitychange", onChange);
    return () => {
      unsubscribe();
      document.removeEventListener("visibilitychange", onChange);
    };
  }, [scroll, observer]);
  return observer.watch;
}
