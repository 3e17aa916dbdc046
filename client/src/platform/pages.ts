import { v7 } from "uuid";

/**
 * The pages of this browser, known to each other by the Web Locks they hold: a
 * lock ends with its page, however it ends. Web Locks need a secure context;
 * without them a page takes itself for the only one, which is safe: a message
 * sent by two pages is stored once.
 */
const PAGE = "tidings-page-";
const VISIBLE = "tidings-visible";
const NOTIFIER = "tidings-notifier";

const forPageLife = () => new Promise<never>(() => {});

export class Pages {
  readonly id = v7();
  private leading = false;
  private readonly locks: LockManager | undefined = navigator.locks;

  constructor() {
    if (this.locks === undefined) {
      this.leading = true;
      return;
    }
    void this.locks.request(PAGE + this.id, forPageLife);
    void this.locks.request(NOTIFIER, () => {
      this.leading = true;
      return forPageLife();
    });
    this.showVisibility();
    document.addEventListener("visibilitychange", () => this.showVisibility());
  }

  /** The ids of the pages that are open. */
  async live(): Promise<ReadonlySet<string>> {
    const names = await this.held();
    return new Set(
      names.filter((name) => name.startsWith(PAGE)).map((name) => name.slice(PAGE.length)),
    );
  }

  /**
   * Whether it is for this page to notify: no page is in view, and this is the
   * one that speaks for all.
   */
  async mayNotify(): Promise<boolean> {
    if (!this.leading || document.visibilityState === "visible") return false;
    return !(await this.held()).includes(VISIBLE);
  }

  private async held(): Promise<string[]> {
    if (this.locks === undefined) return [];
    const { held = [] } = await this.locks.query();
    return held.flatMap((lock) => lock.name ?? []);
  }

  /** Holds the shared lock for as long as this page is in view. */
  private showVisibility(): void {
    if (document.visibilityState !== "visible") return;
    void this.locks?.request(VISIBLE, { mode: "shared" }, hidden);
  }
}

/** Ends when the page is not in view any more. */
function hidden(): Promise<void> {
  return new Promise((resolve) => {
    const check = () => {
      if (document.visibilityState === "visible") return;
      document.removeEventListener("visibilitychange", check);
      resolve();
    };
    document.addEventListener("visibilitychange", check);
    check();
  });
}
