import type { UserId } from "../protocol/generated";
import { type Api, ApiError } from "./api";
import type { Clock } from "./clock";
import type { EngineEvent, OutboxStorage, StateStore } from "./model";
import { DEFAULT_BACKOFF, reconnectDelay } from "./reconnect";

export interface SessionListener {
  /** Somebody is logged in. */
  begun(me: UserId): Promise<void>;
  /** Nobody is any more. */
  ended(): void;
}

/** Who this browser is: taking up a session, logging in and out. */
export class SessionKeeper {
  constructor(
    private readonly store: StateStore,
    private readonly api: Api,
    private readonly storage: OutboxStorage,
    private readonly clock: Clock,
    private readonly dispatch: (event: EngineEvent) => void,
    private readonly listener: SessionListener,
  ) {}

  /** Takes the session that this browser may hold; asks until there is an answer. */
  async resume(): Promise<void> {
    for (let failures = 1; ; failures += 1) {
      try {
        const session = await this.api.session();
        this.dispatch({ type: "session", session });
        return await this.listener.begun(session.user.id);
      } catch (error) {
        const passing = refusal(error).passing;
        if (!passing) return this.dispatch({ type: "anonymous" });
        const delay = reconnectDelay(failures, DEFAULT_BACKOFF, this.clock.random());
        await new Promise<void>((done) => this.clock.after(delay, done));
      }
    }
  }

  /** Logs in; the refusal when there is one. */
  logIn(name: string, password?: string): Promise<ApiError | null> {
    return attempt(async () => {
      const secret = password === undefined ? {} : { password };
      const session = await this.api.logIn({ name, ...secret });
      this.dispatch({ type: "session", session });
      await this.listener.begun(session.user.id);
    });
  }

  /** Ends the session and forgets what this browser kept of it. */
  logOut(): Promise<ApiError | null> {
    const { stage } = this.store.get();
    return attempt(async () => {
      await this.api.logOut().catch((error: unknown) => {
        if (refusal(error).code !== "unauthorized") throw error;
      });
      // What storage refuses to forget belongs to a name that nobody can enter without log-in.
      if (stage.kind === "active") await this.storage.clear(stage.me.id).catch(() => {});
      this.end();
    });
  }

  setPassword(password: string, current?: string): Promise<ApiError | null> {
    return attempt(async () => {
      const old = current === undefined ? {} : { current };
      await this.api.setPassword({ password, ...old });
      this.dispatch({ type: "password_set" });
    });
  }

  /** Whether a connection that was refused is worth another attempt. */
  async admitted(): Promise<boolean> {
    try {
      await this.api.session();
      return true;
    } catch (error) {
      return refusal(error).code !== "unauthorized";
    }
  }

  /** The server says that the session is over. */
  lost(): void {
    this.end("You are logged out. Log in to go on.");
  }

  private end(note?: string): void {
    this.listener.ended();
    this.dispatch({ type: "anonymous", ...(note === undefined ? {} : { note }) });
  }
}

async function attempt(work: () => Promise<void>): Promise<ApiError | null> {
  try {
    await work();
    return null;
  } catch (error) {
    return refusal(error);
  }
}

/** The refusal that was caught; anything else is a bug and goes on. */
export function refusal(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  throw error;
}
