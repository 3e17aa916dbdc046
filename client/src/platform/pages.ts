import { v7 } from "uuid";
import type { ConversationId } from "../sdk/protocol/generated";
import { CODE_LOCK } from "./worker-words";

/**
 * The pages of this browser, known to each other by the Web Locks they hold: a
 * lock ends with its page, however it ends. Web Locks need a secure context;
 * without them a page takes itself for the only one, which is safe: a message
 * sent by two pages is stored once.
 */
const PAGE = "tidings-page-";
const VISIBLE = "tidings-visible";
const NOTIFIER = "tidings-notifier";
const FRONT = "tidings-front-";
const SOUND = "tidings-sound";

/** A sound is not followed by another one sooner, from whatever page. */
const SOUND_MS = 1_000;

const forPageLife = () => new Promise<never>(() => {});

export class Pages {
  readonly id = v7();
  private leading = false;
  private front: ConversationId | null = null;
  private endFront: () => void = () => {};
  private readonly locks: LockManager | undefined = navigator.locks;

  /** `code`: the path of what this page runs, which the service worker keeps until then. */
  constructor(code: string) {
    if (this.locks === undefined) {
      this.leading = true;
      return;
    }
    void this.locks.request(PAGE + this.id, forPageLife);
    void this.locks.request(CODE_LOCK + code, { mode: "shared" }, forPageLife);
    void this.locks.request(NOTIFIER, () => {
      this.leading = true;
      return forPageLife();
    });
    this.showVisibility();
    document.addEventListener("visibilitychange", () => {
      this.showVisibility();
      this.showFront();
    });
  }

  /** The ids of the pages that are open. */
  async live(): Promise<ReadonlySet<string>> {
    const names = await this.held();
    return new Set(
      names.filter((name) => name.startsWith(PAGE)).map((name) => name.slice(PAGE.length)),
    );
  }

  /** The conversation that this page has in front, in view for as long as the page is. */
  bringToFront(conversation: ConversationId | null): void {
    this.front = conversation;
    this.showFront();
  }

  /** Whether any page has that conversation in view. */
  async isInView(conversation: ConversationId): Promise<boolean> {
    return (await this.held()).includes(FRONT + conversation);
  }

  /** Whether it is for this page to play a sound now: of all that would, the first. */
  mayPlay(): Promise<boolean> {
    const { locks } = this;
    if (locks === undefined) return Promise.resolve(true);
    return new Promise((tell) => {
      void locks.request(SOUND, { ifAvailable: true }, async (lock) => {
        tell(lock !== null);
        if (lock !== null) await new Promise((over) => setTimeout(over, SOUND_MS));
      });
    });
  }

  /**
   * Whether it is for this page to notify: no page is in view, and this is the
   * one that speaks for all.
   */
  async mayNotify(): Promise<boolean> {
    if (!this.leading || document.visibilityState === "visible") return false;
    return !(await this.held()).includes(VISIBLE);
  }

  /** Holds the shared lock of the conversation in front while the page is in view. */
  private showFront(): void {
    this.endFront();
    if (this.front === null || document.visibilityState !== "visible") return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.endFront = resolve;
    void this.locks?.request(FRONT + this.front, { mode: "shared" }, () => promise);
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
