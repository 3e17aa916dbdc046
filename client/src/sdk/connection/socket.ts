import { decodeFrame } from "../protocol/decode";
import type { ClientFrame, ServerFrame } from "../protocol/generated";

/** The close code for a connection that is given up; the server will hardly see it. */
const GIVEN_UP = 4000;

/** The part of `WebSocket` that is used here. */
export type WebSocketLike = Pick<
  WebSocket,
  "onopen" | "onmessage" | "onclose" | "onerror" | "send" | "close"
>;

export type OpenWebSocket = () => WebSocketLike;

/** Hears what happens on the live socket. */
export interface SocketListener {
  opened(): void;
  received(frame: ServerFrame): void;
  closed(code: number): void;
}

/**
 * At most one WebSocket at a time. Whatever arrives on one that was replaced or
 * given up is ignored.
 */
export class Socket {
  private current: WebSocketLike | null = null;
  private open = false;

  constructor(
    private readonly openWebSocket: OpenWebSocket,
    private readonly listener: SocketListener,
  ) {}

  /** Opens a new WebSocket in place of the current one. */
  connect(): void {
    this.drop();
    const socket = this.openWebSocket();
    this.current = socket;
    const live = () => this.current === socket;
    socket.onopen = () => {
      if (!live()) return;
      this.open = true;
      this.listener.opened();
    };
    socket.onmessage = (event) => {
      if (live()) this.receive(event.data);
    };
    socket.onclose = (event) => {
      if (live()) this.ended(event.code);
    };
    // `close` follows and says more. But in Node.js, an `error` without a listener ends the program.
    socket.onerror = () => {};
  }

  /** Returns whether the frame was handed to an open socket, not that it arrives. */
  send(frame: ClientFrame): boolean {
    if (this.current === null || !this.open) return false;
    this.current.send(JSON.stringify(frame));
    return true;
  }

  /** Gives the connection up without waiting for the server, and notifies the listener. */
  giveUp(): void {
    if (this.current === null) return;
    this.drop();
    this.listener.closed(1006);
  }

  /** Closes the connection without notifying the listener. */
  drop(): void {
    const socket = this.current;
    this.current = null;
    this.open = false;
    socket?.close(GIVEN_UP);
  }

  private receive(data: unknown): void {
    const decoded = typeof data === "string" ? decodeFrame(data) : { kind: "malformed" as const };
    if (decoded.kind === "frame") this.listener.received(decoded.frame);
    // A server that breaks the protocol cannot be followed further; the log
    // repairs what this connection got wrong.
    if (decoded.kind === "malformed") this.giveUp();
  }

  private ended(code: number): void {
    this.current = null;
    this.open = false;
    this.listener.closed(code);
  }
}
