import { v7 } from "uuid";
import type { ConversationId } from "../sdk/protocol/generated";
import { CODE_LOCK } from "./worker-messages";

/**
 * The tabs of this browser know each other by the Web Locks they hold: a lock ends
 * with its tab, however that ends. Web Locks need a secure context. Without them a
 * tab assumes that it is the only one, which is safe: a message sent by two tabs is
 * stored once. Tabs of older versions use these names, too.
 */
const TAB = "tidings-page-";
const VISIBLE = "tidings-visible";
const NOTIFIER = "tidings-notifier";
const FRONT = "tidings-front-";
const SOUND = "tidings-sound";

/** The shortest time between two sounds, of whatever tabs. */
const SOUND_MS = 1_000;

const forTabLife = () => new Promise<never>(() => {});

export class Tabs {
  readonly id = v7();
  private leading = false;
  private front: ConversationId | null = null;
  private endFront: () => void = () => {};
  private readonly locks: LockManager | undefined = navigator.locks;

  /** `code`: the path of the code this tab runs. The service worker keeps it while the tab is open. */
  constructor(code: string) {
    if (this.locks === undefined) {
      this.leading = true;
      return;
    }
    // A browser that refuses storage refuses locks as well.
    const refused = () => {
      this.leading = true;
    };
    this.locks.request(TAB + this.id, forTabLife).catch(refused);
    this.locks.request(CODE_LOCK + code, { mode: "shared" }, forTabLife).catch(refused);
    const lead = () => {
      this.leading = true;
      return forTabLife();
    };
    this.locks.request(NOTIFIER, lead).catch(refused);
    this.showVisibility();
    document.addEventListener("visibilitychange", () => {
      this.showVisibility();
      this.showFront();
    });
  }

  /** The ids of the open tabs. */
  async live(): Promise<ReadonlySet<string>> {
    const names = await this.held();
    return new Set(
      names.filter((name) => name.startsWith(TAB)).map((name) => name.slice(TAB.length)),
    );
  }

  /** Tells other tabs which conversation this one shows while it is visible. */
  bringToFront(conversation: ConversationId | null): void {
    this.front = conversation;
    this.showFront();
  }

  /** Whether any tab shows this conversation. */
  async isInView(conversation: ConversationId): Promise<boolean> {
    return (await this.held()).includes(FRONT + conversation);
  }

  /** Whether this tab may play a sound now: the first of all tabs that ask does. */
  mayPlay(): Promise<boolean> {
    const { locks } = this;
    if (locks === undefined) return Promise.resolve(true);
    return new Promise((tell) => {
      const play = async (lock: Lock | null) => {
        tell(lock !== null);
        if (lock !== null) await new Promise((over) => setTimeout(over, SOUND_MS));
      };
      locks.request(SOUND, { ifAvailable: true }, play).catch(() => tell(true));
    });
  }

  /**
   * Whether this tab shows notifications: no tab is visible, and this one was
   * elected to speak for all.
   */
  async mayNotify(): Promise<boolean> {
    if (!this.leading || document.visibilityState === "visible") return false;
    return !(await this.held()).includes(VISIBLE);
  }

  /** Holds the shared lock of the open conversation while the tab is visible. */
  private showFront(): void {
    this.endFront();
    if (this.front === null || document.visibilityState !== "visible") return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.endFront = resolve;
    this.locks?.request(FRONT + this.front, { mode: "shared" }, () => promise).catch(() => {});
  }

  private async held(): Promise<string[]> {
    if (this.locks === undefined) return [];
    const { held = [] } = await this.locks.query().catch((): LockManagerSnapshot => ({}));
    return held.flatMap((lock) => lock.name ?? []);
  }

  /** Holds the shared lock while this tab is visible. */
  private showVisibility(): void {
    if (document.visibilityState !== "visible") return;
    this.locks?.request(VISIBLE, { mode: "shared" }, hidden).catch(() => {});
  }
}

/** Resolves when the tab is hidden. */
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
