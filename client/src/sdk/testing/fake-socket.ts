import type { WebSocketLike } from "../connection/socket";
import type { ClientFrame, ServerFrame } from "../protocol/generated";

/** A WebSocket whose other end is the test. */
export class FakeSocket {
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: ((event: { code: number }) => void) | null = null;
  onerror: (() => void) | null = null;
  /** What the client sent, and has not been taken yet. */
  sent: ClientFrame[] = [];
  closed = false;

  send(text: string): void {
    this.sent.push(JSON.parse(text) as ClientFrame);
  }

  close(): void {
    this.closed = true;
  }

  /** Takes everything sent so far. */
  take(): ClientFrame[] {
    return this.sent.splice(0);
  }

  open(): void {
    this.onopen?.();
  }

  receive(...frames: ServerFrame[]): void {
    for (const frame of frames) this.onmessage?.({ data: JSON.stringify(frame) });
  }

  receiveText(data: unknown): void {
    this.onmessage?.({ data });
  }

  /** The other end, or the network, ends it. */
  end(code: number): void {
    this.onclose?.({ code });
  }
}

/** Makes sockets and remembers them. */
export class FakeSockets {
  readonly all: FakeSocket[] = [];

  readonly openWebSocket = (): WebSocketLike => {
    const socket = new FakeSocket();
    this.all.push(socket);
    return socket as unknown as WebSocketLike;
  };

  get last(): FakeSocket {
    const socket = this.all.at(-1);
    if (socket === undefined) throw new Error("no socket was opened");
    return socket;
  }
}
