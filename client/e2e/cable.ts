import { once } from "node:events";
import {
  type AddressInfo,
  connect,
  createServer,
  type Server as Listener,
  type Socket,
} from "node:net";
import { setTimeout } from "node:timers/promises";

/** What a slow line carries at once. */
const PIECE_BYTES = 4_096;

/**
 * What lies between a browser and a server, and can be cut: then nothing gets
 * through in either direction and neither end is told, as when a network is gone.
 * It can also be slow.
 */
export class Cable {
  private readonly ends = new Set<Socket>();
  /** Near ends that nothing gets through to any more. */
  private readonly deaf = new WeakSet<Socket>();
  private isCut = false;
  /** What a slow line brings to the browser, all connections together. */
  private bytesPerSecond = Number.POSITIVE_INFINITY;
  /** When it has carried what it was given. */
  private freeAt = 0;
  private listener: Listener | null = null;
  url = "";

  static async to(server: { readonly url: string }): Promise<Cable> {
    const cable = new Cable();
    const { hostname, port } = new URL(server.url);
    const listener = createServer((near) => cable.join(near, connect(Number(port), hostname)));
    cable.listener = listener;
    listener.listen(0, "127.0.0.1");
    await once(listener, "listening");
    cable.url = `http://127.0.0.1:${(listener.address() as AddressInfo).port}`;
    return cable;
  }

  /** How many connections there are. */
  get connections(): number {
    return this.ends.size / 2;
  }

  cut(): void {
    this.isCut = true;
  }

  /**
   * Half-open: what is connected now still sends, and hears nothing any more,
   * not even the end. New connections are whole.
   */
  deafen(): void {
    for (const end of this.ends) this.deaf.add(end);
  }

  /** From now on no more comes to the browser. */
  slow(bytesPerSecond: number): void {
    this.bytesPerSecond = bytesPerSecond;
  }

  /** What was connected while it was cut has lost bytes, and ends. */
  mend(): void {
    this.isCut = false;
    for (const end of this.ends) end.destroy();
  }

  close(): void {
    this.listener?.close();
    for (const end of this.ends) end.destroy();
  }

  private join(near: Socket, far: Socket): void {
    this.pass(near, far, () => !this.isCut, false);
    this.pass(far, near, () => !this.isCut && !this.deaf.has(near), true);
  }

  private pass(from: Socket, to: Socket, open: () => boolean, toBrowser: boolean): void {
    this.ends.add(from);
    let carried = Promise.resolve();
    from.on("data", (bytes) => {
      if (!open()) return;
      if (!toBrowser || this.bytesPerSecond === Number.POSITIVE_INFINITY) {
        to.write(bytes);
        return;
      }
      from.pause();
      carried = this.carry(bytes, to).then(() => void from.resume());
    });
    from.on("close", () => {
      this.ends.delete(from);
      void carried.then(() => {
        if (open()) to.destroy();
      });
    });
    // An end that breaks off is closed, which is dealt with above.
    from.on("error", () => {});
  }

  private async carry(bytes: Buffer, to: Socket): Promise<void> {
    for (let start = 0; start < bytes.length && !to.destroyed; start += PIECE_BYTES) {
      const piece = bytes.subarray(start, start + PIECE_BYTES);
      const now = performance.now();
      this.freeAt = Math.max(now, this.freeAt) + (piece.length / this.bytesPerSecond) * 1_000;
      await setTimeout(this.freeAt - now);
      to.write(piece);
    }
  }
}
