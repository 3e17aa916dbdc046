/** A page that takes longer than this is too large for the link. */
export const SLOW_MS = 4_000;
/** After a page that takes less, the next one may be larger. */
export const QUICK_MS = 1_000;
/** The smallest page, however slow the link, since each costs a round trip. */
export const SMALLEST = 5;

/** How many messages to ask for at a time: as many as arrive within seconds. */
export class PageSize {
  private size = Number.POSITIVE_INFINITY;

  /** At most `max`, as the server allows. */
  limit(max: number): number {
    return Math.min(this.size, max);
  }

  /** A page of this many messages arrived, perhaps fewer than asked for. */
  took(messages: number, ms: number): void {
    if (ms > SLOW_MS) this.shrink(messages);
    else if (ms < QUICK_MS) this.size = Math.max(this.size, messages * 2);
  }

  /** A page of up to this many messages failed; if it failed at once, its size is not the reason. */
  failed(limit: number, ms: number): void {
    if (ms > SLOW_MS) this.shrink(limit);
  }

  private shrink(from: number): void {
    this.size = Math.max(SMALLEST, Math.floor(from / 2));
  }
}
