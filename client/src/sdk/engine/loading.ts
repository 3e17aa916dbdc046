import type { ConversationId } from "../protocol/generated";
import { type Api, ApiError } from "./api";
import type { Clock } from "./clock";
import { hasGap, heldTo } from "./log";
import type { EngineEvent, StateStore } from "./model";

/** A gap wider than this is not filled: the log begins again at its end. */
export const GAP_MAX = 1_000;
/** Between attempts at a request that failed for now; doubles up to the maximum. */
const RETRY_MIN_MS = 500;
const RETRY_MAX_MS = 10_000;

/** Brings over HTTP what the socket does not: lists, history, gaps. */
export class Loading {
  /** What is under way, by name: nothing is asked for twice at the same time. */
  private readonly running = new Map<string, Promise<void>>();

  constructor(
    private readonly store: StateStore,
    private readonly api: Api,
    private readonly clock: Clock,
    private readonly dispatch: (event: EngineEvent) => void,
    private readonly unauthorized: () => void,
  ) {}

  /** The first page of conversations: also after every replay, for what is new. */
  list(): Promise<void> {
    return this.once("list", async () => {
      const page = await this.api.conversations(null);
      this.dispatch({ type: "listed", page, first: true });
    });
  }

  /** The next page of conversations, if there is one. */
  listMore(): Promise<void> {
    const before = this.store.get().moreChats;
    if (before === null) return Promise.resolve();
    return this.once("list-more", async () => {
      const page = await this.api.conversations(before);
      this.dispatch({ type: "listed", page, first: false });
    });
  }

  /** A conversation that is not listed yet; one that does not exist is closed. */
  describe(id: ConversationId): Promise<void> {
    return this.once(describing(id), async () => {
      try {
        const conversation = await this.api.conversation(id);
        this.dispatch({ type: "conversation", conversation });
      } catch (error) {
        if (error instanceof ApiError && error.passing) throw error;
        if (this.store.get().open === id) this.dispatch({ type: "opened", conversation: null });
      }
    });
  }

  /**
   * Ends when a conversation is known, which is asked for where it is not. Whoever
   * asked first hears of it first: the list may bring it meanwhile.
   */
  known(id: ConversationId): Promise<void> {
    const running = this.running.get(describing(id));
    if (running !== undefined) return running;
    return this.store.get().chats.has(id) ? Promise.resolve() : this.describe(id);
  }

  /** One page of history above what is held. */
  older(id: ConversationId): Promise<void> {
    return this.once(`older ${id}`, async () => {
      const { logs, limits } = this.store.get();
      const log = logs.get(id);
      if (log === undefined || log.base === 0) return;
      const range = { before: log.base + 1 };
      const page = await this.api.history(id, range, limits.history_page_max);
      this.dispatch({ type: "history", conversation: id, page });
    });
  }

  /**
   * Fills the gap between what is held and what is known to exist. `blind` asks
   * at least once: the server said that there is more, but not how much.
   */
  fill(id: ConversationId, blind = false): Promise<void> {
    return this.once(`fill ${id}`, async () => {
      for (let ask = blind; ask || this.gap(id) > 0; ask = false) {
        if (!(await this.fillOnce(id))) return;
      }
    });
  }

  /** Whether a page brought anything new. */
  private async fillOnce(id: ConversationId): Promise<boolean> {
    const { limits, logs } = this.store.get();
    const log = logs.get(id);
    if (log === undefined) return false;
    const limit = limits.history_page_max;
    if (this.gap(id) > GAP_MAX) {
      this.dispatch({ type: "skipped", conversation: id, base: log.known - limit });
    }
    const after = this.held(id);
    const page = await this.api.history(id, { after }, limit);
    this.dispatch({ type: "history", conversation: id, page });
    return this.held(id) > after;
  }

  private held(id: ConversationId): number {
    const log = this.store.get().logs.get(id);
    return log === undefined ? 0 : heldTo(log);
  }

  private gap(id: ConversationId): number {
    const log = this.store.get().logs.get(id);
    return log !== undefined && hasGap(log) ? log.known - heldTo(log) : 0;
  }

  /** Joins the one under way, or runs it, again and again while it fails for now. */
  private once(name: string, work: () => Promise<void>): Promise<void> {
    const held = this.running.get(name);
    if (held !== undefined) return held;
    const run = this.persist(work).finally(() => this.running.delete(name));
    this.running.set(name, run);
    return run;
  }

  private async persist(work: () => Promise<void>): Promise<void> {
    for (let wait = RETRY_MIN_MS; this.active(); wait = Math.min(RETRY_MAX_MS, wait * 2)) {
      try {
        return await work();
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        if (error.code === "unauthorized") return this.unauthorized();
        // A request that is refused for good is a conversation that is gone.
        if (!error.passing) return;
        await this.pause(error.retryAfterMs ?? wait * (0.5 + this.clock.random()));
      }
    }
  }

  private active(): boolean {
    return this.store.get().stage.kind === "active";
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
