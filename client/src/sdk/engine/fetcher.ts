import { type Api, ApiError, type HistoryRange } from "../connection/api";
import type { Clock } from "../connection/clock";
import type { ConversationId, History } from "../protocol/generated";
import type { EngineEvent } from "../store/events";
import type { StateStore } from "../store/store";
import { hasGap, type Log, lacksPins } from "../timeline/log";
import type { Pins } from "../timeline/pins";
import { PageSize } from "./page-size";

/** A gap wider than this is not filled: the log begins again at its end. */
const GAP_MAX = 1_000;
/** The wait between attempts at a request that failed for now; it doubles up to the maximum. */
const RETRY_MIN_MS = 500;
const RETRY_MAX_MS = 10_000;

/** Fetches over HTTP what the socket does not bring: lists, history, gaps, missing pins. */
export class Fetcher {
  /** Requests under way, by name: none is made twice at the same time. */
  private readonly running = new Map<string, Promise<void>>();
  private readonly pages = new PageSize();

  constructor(
    private readonly store: StateStore,
    private readonly api: Api,
    private readonly clock: Clock,
    private readonly dispatch: (event: EngineEvent) => void,
    private readonly unauthorized: () => void,
  ) {}

  /** Fetches the first page of conversations; again after every replay, for what is new. */
  list(): Promise<void> {
    return this.once("list", async () => {
      const page = await this.api.conversations(null);
      this.dispatch({ type: "listed", page, first: true });
    });
  }

  /** Fetches the next page of conversations, if there is one. */
  listMore(): Promise<void> {
    const before = this.store.get().moreConversations;
    if (before === null) return Promise.resolve();
    return this.once("list-more", async () => {
      const page = await this.api.conversations(before);
      this.dispatch({ type: "listed", page, first: false });
    });
  }

  /** Fetches a conversation that is not listed yet, or learns that it does not exist. */
  describe(id: ConversationId): Promise<void> {
    return this.once(describing(id), async () => {
      try {
        const conversation = await this.api.conversation(id);
        this.dispatch({ type: "conversation", conversation });
      } catch (error) {
        if (!(error instanceof ApiError) || error.passing || error.code === "unauthorized")
          throw error;
        this.dispatch({ type: "missing", conversation: id });
      }
    });
  }

  /**
   * Resolves when a conversation is known, and fetches it if it is not. A request under
   * way is waited for even if the list brings the conversation meanwhile, to keep the order.
   */
  known(id: ConversationId): Promise<void> {
    const running = this.running.get(describing(id));
    if (running !== undefined) return running;
    return this.store.get().conversations.has(id) ? Promise.resolve() : this.describe(id);
  }

  /** Fetches one page of history above what is held. */
  older(id: ConversationId): Promise<void> {
    return this.extend(id, "older", ({ base }) => (base > 0 ? { before: base + 1 } : null));
  }

  /** Fetches one page of history below a detached run. */
  newer(id: ConversationId): Promise<void> {
    return this.extend(id, "newer", ({ detached, end }) => (detached ? { after: end } : null));
  }

  /**
   * Begins the log of the open conversation again around number `seq`, or at the end of the
   * conversation if that is `null`.
   */
  around(id: ConversationId, seq: number | null): Promise<void> {
    return this.once(`around ${seq} ${id}`, async () => {
      if (this.store.get().open === id) await this.restart(id, seq);
    });
  }

  /**
   * Fills the gap between what is held and what is known to exist. With `blind` it asks
   * at least once: the server said that there is more, but not how much.
   */
  fill(id: ConversationId, blind = false): Promise<void> {
    return this.once(`fill ${id}`, async () => {
      for (let ask = blind; ask || this.gap(id) > 0; ask = false) {
        if (!(await this.fillOnce(id))) return;
      }
    });
  }

  /**
   * Fetches a conversation again while changes of its pins may be missing: pages of history
   * cover changes, and do not say what they were.
   */
  completePins(id: ConversationId): Promise<void> {
    return this.once(`pins ${id}`, async () => {
      let asked: Pins | null = null;
      for (let log = this.log(id); log !== undefined && lacksPins(log); log = this.log(id)) {
        // The last answer brought nothing new, and the next one would not either.
        if (log.pins === asked) return;
        asked = log.pins;
        const conversation = await this.api.conversation(id);
        this.dispatch({ type: "conversation", conversation });
      }
    });
  }

  private extend(
    id: ConversationId,
    way: string,
    rangeOf: (log: Log) => HistoryRange | null,
  ): Promise<void> {
    const name = `${way} ${id}`;
    return this.once(name, async () => {
      const log = this.log(id);
      const range = log === undefined ? null : rangeOf(log);
      if (range === null) return;
      const page = await this.page(id, range);
      // Who hears of the page may ask for the next one at once.
      this.running.delete(name);
      this.dispatch({ type: "history", conversation: id, page });
    });
  }

  private async restart(id: ConversationId, seq: number | null): Promise<void> {
    const end = (this.log(id)?.known ?? 0) + 1;
    const page = await this.page(id, seq === null ? { before: end } : { around: seq });
    this.dispatch({ type: "restarted", conversation: id, page });
  }

  /** Returns whether a page brought anything new. */
  private async fillOnce(id: ConversationId): Promise<boolean> {
    if (this.log(id)?.detached !== false) return false;
    const after = this.held(id);
    if (this.gap(id) > GAP_MAX) {
      await this.restart(id, null);
      return this.held(id) > after;
    }
    const page = await this.page(id, { after });
    this.dispatch({ type: "history", conversation: id, page });
    return this.held(id) > after;
  }

  /** How many messages to ask for, so that the page arrives within seconds. */
  private limit(): number {
    return this.pages.limit(this.store.get().limits.history_page_max);
  }

  private async page(id: ConversationId, range: HistoryRange): Promise<History> {
    const limit = this.limit();
    const begun = this.clock.now();
    try {
      const page = await this.api.history(id, range, limit);
      this.pages.took(page.messages.length, this.clock.now() - begun);
      return page;
    } catch (error) {
      const gone = error instanceof ApiError && error.code === "unreachable";
      if (gone) this.pages.failed(limit, this.clock.now() - begun);
      throw error;
    }
  }

  private log(id: ConversationId): Log | undefined {
    return this.store.get().logs.get(id);
  }

  private held(id: ConversationId): number {
    return this.log(id)?.end ?? 0;
  }

  private gap(id: ConversationId): number {
    const log = this.log(id);
    return log !== undefined && hasGap(log) ? log.known - log.end : 0;
  }

  /** Joins the request under way, or makes it, and retries while it fails for now. */
  private once(name: string, work: () => Promise<void>): Promise<void> {
    const held = this.running.get(name);
    if (held !== undefined) return held;
    const run = this.retry(work).finally(() => {
      if (this.running.get(name) === run) this.running.delete(name);
    });
    this.running.set(name, run);
    return run;
  }

  private async retry(work: () => Promise<void>): Promise<void> {
    for (let wait = RETRY_MIN_MS; this.active(); wait = Math.min(RETRY_MAX_MS, wait * 2)) {
      try {
        return await work();
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        if (error.code === "unauthorized") return this.unauthorized();
        // A request that is refused for good means that the conversation is gone.
        if (!error.passing) return;
        await this.pause(error.retryAfterMs ?? wait * (0.5 + this.clock.random()));
      }
    }
  }

  private active(): boolean {
    return this.store.get().auth.kind === "active";
  }

  private pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.clock.after(ms, resolve);
    });
  }
}

function describing(id: ConversationId): string {
  return `describe ${id}`;
}
