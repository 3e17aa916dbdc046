import { useEffect, useMemo } from "react";

/** Where the list is held, see `Place`. */
interface Held {
  readonly isOnItsWay: () => boolean;
  readonly onArrival: (tell: () => void) => () => void;
}

/** Tells the numbers of messages whose end is in view, while the page is. */
class SeenObserver {
  private readonly inView = new Set<number>();
  private readonly observer = new IntersectionObserver((entries) => {
    for (const entry of entries) this.note(entry.target, entry.isIntersecting);
    this.report();
  });

  constructor(
    private readonly seen: (seq: number) => void,
    private readonly place: Held,
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
    if (this.place.isOnItsWay()) return;
    this.seen(Math.max(...this.inView));
  };

  private note(end: Element, inView: boolean) {
    const seq = Number((end as HTMLElement).dataset.end);
    if (inView) this.inView.add(seq);
    else this.inView.delete(seq);
  }
}

/**
 * A ref for the ends of messages; `seen` is told the highest number of those
 * that are really in view. A message too tall for the screen counts once its
 * end was reached.
 */
export function useSeen(seen: (seq: number) => void, place: Held) {
  const observer = useMemo(() => new SeenObserver(seen, place), [seen, place]);
  useEffect(() => {
    document.addEventListener("visibilitychange", observer.report);
    return () => document.removeEventListener("visibilitychange", observer.report);
  }, [observer]);
  useEffect(() => place.onArrival(observer.report), [place, observer]);
  return observer.watch;
}
