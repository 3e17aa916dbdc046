import type { Session, User, UserId } from "../protocol/generated";
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

export type LogInAnswer =
  | { readonly kind: "in" }
  /** Another page of this browser had logged in before. */
  | { readonly kind: "already"; readonly me: User }
  | { readonly kind: "refused"; readonly error: ApiError };

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
        return await this.enter(await this.api.session());
      } catch (error) {
        const passing = refusal(error).passing;
        if (!passing) return this.dispatch({ type: "anonymous", loggedOut: false });
        const delay = reconnectDelay(failures, DEFAULT_BACKOFF, this.clock.random());
        await new Promise<void>((done) => this.clock.after(delay, done));
      }
    }
  }

  /**
   * Logs in, unless this browser has a session that the page does not know of. A
   * log-in would end that one, and with it take a name without a password from
   * everybody for ever.
   */
  async logIn(name: string, password?: string): Promise<LogInAnswer> {
    try {
      const held = await this.held();
      if (held === null) {
        const secret = password === undefined ? {} : { password };
        await this.enter(await this.api.logIn({ name, ...secret }));
        return { kind: "in" };
      }
      await this.enter(held);
      return { kind: "already", me: held.user };
    } catch (error) {
      return { kind: "refused", error: refusal(error) };
    }
  }

  /** Nobody is logged in on this page: takes the session that another page began. */
  async lookAgain(): Promise<void> {
    // What cannot be asked now is asked at log-in.
    await attempt(async () => {
      const held = await this.held();
      if (held !== null && this.store.get().stage.kind === "anonymous") await this.enter(held);
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
      this.end(false);
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
    this.end(true);
  }

  /** The session of this browser, if it has one. */
  private async held(): Promise<Session | null> {
    try {
      return await this.api.session();
    } catch (error) {
      if (refusal(error).code === "unauthorized") return null;
      throw error;
    }
  }

  private enter(session: Session): Promise<void> {
    this.dispatch({ type: "session", session });
    return this.listener.begun(session.user.id);
  }

  private end(loggedOut: boolean): void {
    this.listener.ended();
    this.dispatch({ type: "anonymous", loggedOut });
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
