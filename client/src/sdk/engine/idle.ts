import type { Clock } from "./clock";

/** Without input for this long a page counts as left alone. */
export const IDLE_MS = 5 * 60_000;

/**
 * Whether the user has left this page alone. A program that never reports input
 * is never idle: nobody sits in front of it.
 */
export class Idle {
  private idle = false;
  /** When there was input last; `null`: none was ever reported. */
  private touchedAt: number | null = null;

  constructor(
    private readonly clock: Clock,
    private readonly changed: (idle: boolean) => void,
  ) {}

  get now(): boolean {
    return this.idle;
  }

  /** There was input. Costs next to nothing: the one timer looks back when it is due. */
  touch(): void {
    const first = this.touchedAt === null;
    this.touchedAt = this.clock.now();
    if (first || this.idle) this.watch(IDLE_MS);
    if (!this.idle) return;
    this.idle = false;
    this.changed(false);
  }

  private watch(ms: number): void {
    this.clock.after(ms, () => {
      const quiet = this.clock.now() - (this.touchedAt ?? 0);
      if (quiet < IDLE_MS) return this.watch(IDLE_MS - quiet);
      this.idle = true;
      this.changed(true);
    });
  }
}
