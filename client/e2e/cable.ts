import { once } from "node:events";
import {
  type AddressInfo,
  connect,
  createServer,
  type Server as Listener,
  type Socket,
} from "node:net";

/**
 * What lies between a browser and a server, and can be cut: then nothing gets
 * through in either direction and neither end is told, as when a network is gone.
 */
export class Cable {
  private readonly ends = new Set<Socket>();
  /** Near ends that nothing gets through to any more. */
  private readonly deaf = new WeakSet<Socket>();
  private isCut = false;
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
    this.pass(near, far, () => !this.isCut);
    this.pass(far, near, () => !this.isCut && !this.deaf.has(near));
  }

  private pass(from: Socket, to: Socket, open: () => boolean): void {
    this.ends.add(from);
    from.on("data", (bytes) => {
      if (open()) to.write(bytes);
    });
    from.on("close", () => {
      this.ends.delete(from);
      if (open()) to.destroy();
    });
    // An end that breaks off is closed, which is dealt with above.
    from.on("error", () => {});
  }
}
