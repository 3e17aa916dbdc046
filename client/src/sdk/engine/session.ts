import type { Session, User, UserId } from "../protocol/generated";
import { type Api, ApiError } from "./api";
import type { Clock } from "./clock";
import type { Keeping } from "./keeping";
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
  private endPause: () => void = () => {};

  constructor(
    private readonly store: StateStore,
    private readonly api: Api,
    private readonly storage: OutboxStorage,
    private readonly keeping: Keeping,
    private readonly clock: Clock,
    private readonly dispatch: (event: EngineEvent) => void,
    private readonly listener: SessionListener,
  ) {}

  /**
   * Takes the session that this browser may hold; asks until there is an answer.
   * Until then the page shows what was kept of the last one.
   */
  async resume(): Promise<void> {
    let asked = settled(this.api.session());
    if (this.store.get().stage.kind === "starting") await this.recall();
    for (let failures = 1; ; failures += 1) {
      const answer = await asked;
      // A connection that was refused may have told it before.
      if (this.store.get().stage.kind === "anonymous") return;
      if (!(answer instanceof ApiError)) return this.enter(answer);
      if (!answer.passing) return this.refused();
      await this.pause(reconnectDelay(failures, DEFAULT_BACKOFF, this.clock.random()));
      asked = settled(this.api.session());
    }
  }

  /** The network may be back: what waits to be asked is asked now. */
  wake(): void {
    this.endPause();
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

  /** Whether others are to see that the user is here, on whatever device. */
  setVisibility(invisible: boolean): Promise<ApiError | null> {
    return attempt(async () => {
      await this.api.setVisibility({ invisible });
      this.dispatch({ type: "visibility", invisible });
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

  /** Begins with the conversations that were kept, and connects. */
  private async recall(): Promise<void> {
    const snapshot = await this.keeping.read();
    if (snapshot === null) return;
    this.dispatch({ type: "restored", snapshot });
    this.keeping.recalled();
    void this.listener.begun(snapshot.head.me.id);
  }

  private async enter(session: Session): Promise<void> {
    const { stage } = this.store.get();
    const { id } = session.user;
    if (stage.kind === "active" && stage.me.id !== id) this.listener.ended();
    void this.keeping.own(id);
    this.dispatch({ type: "session", session });
    return this.listener.begun(id);
  }

  /** There is no session. Who was shown what was kept learns that it is over. */
  private refused(): void {
    if (this.store.get().stage.kind === "active") this.end(true);
    else this.dispatch({ type: "anonymous", loggedOut: false });
  }

  private end(loggedOut: boolean): void {
    const { stage } = this.store.get();
    if (stage.kind === "active") void this.keeping.forget(stage.me.id);
    this.listener.ended();
    this.dispatch({ type: "anonymous", loggedOut });
  }

  private pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.clock.after(ms, resolve);
      this.endPause = () => {
        cancel();
        resolve();
      };
    });
  }
}

/** The answer, or the refusal that came instead. */
function settled<T>(asked: Promise<T>): Promise<T | ApiError> {
  return asked.catch(refusal);
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
