import type { ClientFrame, ServerFrame } from "../protocol/generated";
import type { Clock } from "./clock";
import {
  type Admission,
  type Backoff,
  type CloseReason,
  closeReasonOf,
  DEFAULT_BACKOFF,
  failuresAfter,
  longestWait,
  probeDelay,
  reconnectDelay,
} from "./reconnect";
import { type OpenWebSocket, Socket } from "./socket";

/** After this long without a frame, the client pings the server. */
export const QUIET_MS = 20_000;
/** How long an answer to `ping` may take. */
export const PONG_MS = 10_000;
/** The same when the page wakes up, when the connection is likely dead. */
export const WAKE_PONG_MS = 3_000;
/** The same when the browser is offline: only a server on this machine can answer. */
export const OFFLINE_PONG_MS = 500;
/** The silence after which the client pings while the browser is offline. */
export const OFFLINE_QUIET_MS = 2_000;
/** How long one attempt to connect may take. */
export const CONNECT_MS = 15_000;

export type Phase = "idle" | "connecting" | "open" | "waiting";

export interface ConnectionListener {
  attempting(): void;
  /** The socket is open: time for `hello`. */
  opened(): void;
  received(frame: ServerFrame): void;
  /** The connection was lost. It reconnects unless there is a `closeReason`. */
  lost(closeReason: CloseReason | null): void;
  /** The upgrade failed: asks whether the session is still valid. */
  admitted(): Promise<Admission>;
  /** Asks, as cheaply as possible, whether the server answers at all. */
  answers(): Promise<boolean>;
}

/** Keeps one connection open: reconnects with back-off, pings, and probes after waking up. */
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
  /** Whether the browser says that it is offline. */
  private doubted = false;
  private cancelTimer: () => void = () => {};
  private cancelProbe: () => void = () => {};
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

  /** Connects now, unless it is connected or connecting. */
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

  /** Sets the server's own back-off for reconnecting. */
  setBackoff(backoff: Backoff): void {
    this.backoff = backoff;
  }

  /** The page is visible again or the network is back: connects at once, or probes. */
  wake(): void {
    this.doubted = false;
    if (this.phase === "waiting") this.start();
    else if (this.phase === "open") this.probe(WAKE_PONG_MS);
  }

  /** The network may be gone: an open connection is probed at once. */
  doubt(): void {
    this.doubted = true;
    if (this.phase === "open") this.probe(OFFLINE_PONG_MS);
  }

  /** The user is active: the next attempt is made soon. */
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
    const closeReason = closeReasonOf(code);
    this.failures = failuresAfter(this.failures, openMs);
    if (closeReason !== null) {
      this.enter("idle");
      this.listener.lost(closeReason);
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

  /** A browser hides why an upgrade failed, so the HTTP API is asked. */
  private askAdmission(): void {
    void this.listener.admitted().then((admission) => {
      if (this.phase !== "waiting") return;
      if (admission === "unknown") this.awaitAnswer(1);
      if (admission !== "over") return;
      this.enter("idle");
      this.listener.lost("logged_out");
    });
  }

  /**
   * Probes a server that did not answer, at growing intervals, until it does. Then the next
   * attempt is made at once. A server that answers but refuses is left to the usual attempts.
   */
  private awaitAnswer(probes: number): void {
    this.cancelProbe();
    const wait = probeDelay(probes, this.backoff, this.clock.random());
    this.cancelProbe = this.clock.after(wait, async () => {
      const { attemptAt } = this;
      const answers = await this.listener.answers();
      // Meanwhile an attempt may have been made.
      if (this.phase !== "waiting" || this.attemptAt !== attemptAt) return;
      if (answers) this.start();
      else this.awaitAnswer(probes + 1);
    });
  }

  /** Pings after every long silence. */
  private watchSilence(): void {
    const quiet = this.clock.now() - this.heardAt;
    const [longest, pong] = this.doubted
      ? [OFFLINE_QUIET_MS, OFFLINE_PONG_MS]
      : [QUIET_MS, PONG_MS];
    if (quiet >= longest) this.probe(pong);
    else this.setTimer(longest - quiet, () => this.watchSilence());
  }

  /** Pings, and gives the connection up unless a frame arrives within `ms`. */
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
    this.cancelProbe();
    if (ms !== undefined && then !== undefined) this.setTimer(ms, then);
  }

  /** One timer at a time: each phase has one thing to wait for. */
  private setTimer(ms: number, then: () => void): void {
    this.cancelTimer();
    this.cancelTimer = this.clock.after(ms, then);
  }
}
