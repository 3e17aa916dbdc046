import type { ClientFrame, ServerFrame } from "../protocol/generated";
import type { Clock } from "./clock";
import {
  type Backoff,
  DEFAULT_BACKOFF,
  type Ending,
  endingOf,
  failuresAfter,
  longestWait,
  reconnectDelay,
} from "./reconnect";
import { type OpenWebSocket, Socket } from "./socket";

/** Silence after which the client asks whether the server is still there. */
export const QUIET_MS = 20_000;
/** How long an answer to `ping` may take. */
export const PONG_MS = 10_000;
/** The same when the page wakes up, where a dead connection is likely. */
export const WAKE_PONG_MS = 3_000;
/** How long one attempt to connect may take. */
export const CONNECT_MS = 15_000;

export type Phase = "idle" | "connecting" | "open" | "waiting";

export interface ConnectionListener {
  attempting(): void;
  /** The socket is open: time for `hello`. */
  opened(): void;
  received(frame: ServerFrame): void;
  /** Not open any more; it comes back by itself unless `ending` says why not. */
  lost(ending: Ending | null): void;
  /** The upgrade failed: is the session still good? `false` stops the attempts. */
  admitted(): Promise<boolean>;
}

/** Keeps one connection open: attempts with back-off, pings, waking up. */
export class Connection {
  private phase: Phase = "idle";
  private failures = 0;
  private openedAt = 0;
  private waitsSince = 0;
  /** When the next attempt is due. */
  private attemptAt = 0;
  private heardAt = 0;
  /** Frames received. */
  private heard = 0;
  private backoff: Backoff = DEFAULT_BACKOFF;
  private cancelTimer: () => void = () => {};
  private readonly socket: Socket;

  constructor(
    openWebSocket: OpenWebSocket,
    private readonly clock: Clock,
    private readonly listener: ConnectionListener,
  ) {
    this.socket = new Socket(openWebSocket, {
      opened: () => this.onOpened(),
      received: (frame) => this.onReceived(frame),
      closed: (code) => this.onClosed(code),
    });
  }

  /** Connects now, unless that is under way or done. */
  start(): void {
    if (this.phase === "open" || this.phase === "connecting") return;
    this.enter("connecting", CONNECT_MS, () => this.socket.giveUp());
    this.listener.attempting();
    this.socket.connect();
  }

  /** Ends the connection and all attempts. */
  stop(): void {
    this.enter("idle");
    this.socket.drop();
  }

  send(frame: ClientFrame): boolean {
    return this.socket.send(frame);
  }

  /** The server's own limits for coming back. */
  keepTo(backoff: Backoff): void {
    this.backoff = backoff;
  }

  /** The page is visible again or the network is back: connect at once, or probe. */
  wake(): void {
    if (this.phase === "waiting") this.start();
    else if (this.phase === "open") this.probe(WAKE_PONG_MS);
  }

  /** The user is there, and does something: they are not kept waiting for long. */
  hurry(): void {
    if (this.phase !== "waiting") return;
    const due = this.waitsSince + longestWait(this.backoff);
    if (due < this.attemptAt) this.attempt(due);
  }

  private onOpened(): void {
    this.openedAt = this.clock.now();
    this.heardAt = this.openedAt;
    this.enter("open");
    this.watchSilence();
    this.listener.opened();
  }

  private onReceived(frame: ServerFrame): void {
    this.heardAt = this.clock.now();
    this.heard += 1;
    this.listener.received(frame);
  }

  private onClosed(code: number): void {
    const wasOpen = this.phase === "open";
    const openMs = wasOpen ? this.clock.now() - this.openedAt : 0;
    const ending = endingOf(code);
    this.failures = failuresAfter(this.failures, openMs);
    if (ending !== null) {
      this.enter("idle");
      this.listener.lost(ending);
      return;
    }
    this.enter("waiting");
    this.waitsSince = this.clock.now();
    const delay = reconnectDelay(this.failures, this.backoff, this.clock.random());
    this.attempt(this.waitsSince + delay);
    this.listener.lost(null);
    if (!wasOpen) this.askAdmission();
  }

  private attempt(at: number): void {
    this.attemptAt = at;
    this.setTimer(Math.max(0, at - this.clock.now()), () => this.start());
  }

  /** A browser hides why an upgrade failed; the HTTP API tells. */
  private askAdmission(): void {
    void this.listener.admitted().then((admitted) => {
      if (admitted || this.phase !== "waiting") return;
      this.enter("idle");
      this.listener.lost("logged_out");
    });
  }

  /** Asks after every silence of `QUIET_MS`. */
  private watchSilence(): void {
    const quiet = this.clock.now() - this.heardAt;
    if (quiet >= QUIET_MS) this.probe(PONG_MS);
    else this.setTimer(QUIET_MS - quiet, () => this.watchSilence());
  }

  /** Gives the connection up unless anything arrives within `ms`. */
  private probe(ms: number): void {
    const { heard } = this;
    this.socket.send({ type: "ping" });
    this.setTimer(ms, () => {
      if (this.heard > heard) this.watchSilence();
      else this.socket.giveUp();
    });
  }

  private enter(phase: Phase, ms?: number, then?: () => void): void {
    this.phase = phase;
    this.cancelTimer();
    if (ms !== undefined && then !== undefined) this.setTimer(ms, then);
  }

  /** One timer at a time: each phase has one thing to wait for. */
  private setTimer(ms: number, then: () => void): void {
    this.cancelTimer();
    this.cancelTimer = this.clock.after(ms, then);
  }
}
