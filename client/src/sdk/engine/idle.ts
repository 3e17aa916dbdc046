import type { Clock } from "../connection/clock";

/** Without input for this long, a page is idle. */
export const IDLE_MS = 5 * 60_000;

/**
 * Whether there was no input on this page for a while. A program that never reports
 * input is never idle.
 */
export class Idle {
  private idle = false;
  /** When the last input was; `null` if none was ever reported. */
  private touchedAt: number | null = null;

  constructor(
    private readonly clock: Clock,
    private readonly changed: (idle: boolean) => void,
  ) {}

  get now(): boolean {
    return this.idle;
  }

  /** There was input. This is cheap: the one timer compares times when it is due. */
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
