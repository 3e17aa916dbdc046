import { type Api, ApiError } from "../connection/api";
import type { Clock } from "../connection/clock";
import { type Admission, DEFAULT_BACKOFF, reconnectDelay } from "../connection/reconnect";
import type { OpenSession, Session, User, UserId } from "../protocol/generated";
import type { EngineEvent } from "../store/events";
import type { StateStore } from "../store/store";
import type { OutboxStorage } from "./ports";
import type { SnapshotSaver } from "./snapshot-saver";

export interface SessionListener {
  /** Somebody is logged in. */
  begun(me: UserId): Promise<void>;
  /** Nobody is any more. */
  ended(): void;
}

export type LogInAnswer =
  | { readonly kind: "in" }
  /** Another tab of this browser is logged in already. */
  | { readonly kind: "already"; readonly me: User }
  | { readonly kind: "refused"; readonly error: ApiError };

/** The session of this browser: resuming, logging in and out, passwords. */
export class SessionKeeper {
  private endPause: () => void = () => {};

  constructor(
    private readonly store: StateStore,
    private readonly api: Api,
    private readonly storage: OutboxStorage,
    private readonly snapshots: SnapshotSaver,
    private readonly clock: Clock,
    private readonly dispatch: (event: EngineEvent) => void,
    private readonly listener: SessionListener,
    private readonly renewed: (token: string) => void = () => {},
  ) {}

  /**
   * Resumes the session that this browser may have, and asks the server until it answers.
   * Until then the page shows the snapshot of the last page.
   */
  async resume(): Promise<void> {
    let asked = settled(this.held());
    if (this.store.get().auth.kind === "starting") await this.restore();
    for (let failures = 1; ; failures += 1) {
      const answer = await asked;
      // A refused connection may have said so before.
      if (this.store.get().auth.kind === "anonymous") return;
      if (answer === null) return this.refused();
      if (!(answer instanceof ApiError)) return this.enter(answer);
      if (!answer.passing) return this.refused();
      await this.pause(reconnectDelay(failures, DEFAULT_BACKOFF, this.clock.random()));
      asked = settled(this.held());
    }
  }

  /** The network may be back: asks the server at once. */
  wake(): void {
    this.endPause();
  }

  /**
   * Logs in, unless this browser has a session that the page does not know. A log-in would
   * end that session, and a name without a password would be lost for ever.
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

  /** Nobody is logged in on this page: takes over a session that another tab has begun. */
  async lookAgain(): Promise<void> {
    // If the server cannot be asked now, the log-in asks it.
    await attempt(async () => {
      const held = await this.held();
      if (held !== null && this.store.get().auth.kind === "anonymous") await this.enter(held);
    });
  }

  /** Ends the session, and deletes what this browser has stored of it. */
  logOut(): Promise<ApiError | null> {
    return this.leave(() => this.api.logOut());
  }

  /** Ends every session of the user, including this one. */
  logOutEverywhere(): Promise<ApiError | null> {
    return this.leave(() => this.api.endSessions());
  }

  /** Where the user is logged in; rejects with an `ApiError`. */
  async sessions(): Promise<readonly OpenSession[]> {
    return (await this.api.sessions()).sessions;
  }

  /** Ends another session of the user. */
  endSession(id: string): Promise<ApiError | null> {
    return attempt(() => this.api.endSession(id));
  }

  /** Deletes the unsent messages of a user who is no longer logged in. */
  async discardUnsent(user: UserId): Promise<void> {
    await this.storage.clear(user).catch(() => {});
  }

  private leave(end: () => Promise<void>): Promise<ApiError | null> {
    const { auth } = this.store.get();
    return attempt(async () => {
      await end().catch((error: unknown) => {
        if (refusal(error).code !== "unauthorized") throw error;
      });
      // If storage refuses, the entries are only sent after a log-in as the same user.
      if (auth.kind === "active") await this.storage.clear(auth.me.id).catch(() => {});
      this.end(false);
    });
  }

  setPassword(password: string, current?: string): Promise<ApiError | null> {
    return attempt(async () => {
      const old = current === undefined ? {} : { current };
      const token = await this.api.setPassword({ password, ...old });
      if (token !== null) this.renewed(token);
      this.dispatch({ type: "password_set" });
    });
  }

  /** Sets whether others can see that the user is online, on any device. */
  setVisibility(invisible: boolean): Promise<ApiError | null> {
    return attempt(async () => {
      await this.api.setVisibility({ invisible });
      this.dispatch({ type: "visibility", invisible });
    });
  }

  /** What the server says about the session when a connection was refused. */
  async admitted(): Promise<Admission> {
    const answer = await settled(this.held());
    if (answer === null) return "over";
    return answer instanceof ApiError && answer.passing ? "unknown" : "good";
  }

  /** The server says that the session is over. */
  lost(): void {
    this.end(true);
  }

  /** The session of this browser, or `null`, also if a program's token was refused. */
  private async held(): Promise<Session | null> {
    try {
      return await this.api.session();
    } catch (error) {
      if (refusal(error).code === "unauthorized") return null;
      throw error;
    }
  }

  /** Restores the snapshot, and connects. */
  private async restore(): Promise<void> {
    const snapshot = await this.snapshots.read();
    if (snapshot === null) return;
    this.dispatch({ type: "restored", snapshot });
    this.snapshots.restored();
    void this.listener.begun(snapshot.head.me.id);
  }

  private async enter(session: Session): Promise<void> {
    const { auth } = this.store.get();
    const { id } = session.user;
    if (auth.kind === "active" && auth.me.id !== id) this.listener.ended();
    void this.snapshots.own(id);
    this.dispatch({ type: "session", session });
    return this.listener.begun(id);
  }

  /** There is no session. If the page shows a snapshot, the user learns that it has ended. */
  private refused(): void {
    if (this.store.get().auth.kind === "active") this.end(true);
    else this.dispatch({ type: "anonymous", loggedOut: false });
  }

  private end(loggedOut: boolean): void {
    const { auth } = this.store.get();
    if (auth.kind === "active") void this.snapshots.forget(auth.me.id);
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

/** The result, or the `ApiError` that the request rejected with. */
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

/** Returns an `ApiError` that was caught, and throws anything else, which is a bug. */
export function refusal(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  throw error;
}
