import { once } from "node:events";
import { createServer, type IncomingMessage, type Server as Listener, request } from "node:http";
import { type AddressInfo, connect } from "node:net";
import type { Duplex } from "node:stream";

const COOKIE = "gate=open";

/** A proxy with a log-in of its own: without its cookie everything leads there. */
export class Gatekeeper {
  private constructor(
    private readonly listener: Listener,
    private readonly sockets: ReadonlySet<Duplex>,
    readonly url: string,
  ) {}

  static async before(server: { readonly url: string }): Promise<Gatekeeper> {
    const { hostname, port } = new URL(server.url);
    const sockets = new Set<Duplex>();
    const listener = createServer((asked, answer) => {
      if (asked.url === "/gate/enter") {
        answer.writeHead(302, { "Set-Cookie": `${COOKIE}; Path=/`, Location: "/" }).end();
      } else if (asked.url?.startsWith("/gate/")) {
        answer.writeHead(200, { "Content-Type": "text/html" });
        answer.end('<h1>Company log-in</h1><a href="/gate/enter">Enter</a>');
      } else if (!isIn(asked)) {
        answer.writeHead(302, { Location: "/gate/" }).end();
      } else {
        const { method, url: path, headers } = asked;
        const passed = request({ hostname, port, method, path, headers }, (response) => {
          answer.writeHead(response.statusCode ?? 502, response.headers);
          response.pipe(answer);
        });
        passed.on("error", () => answer.destroy());
        asked.pipe(passed);
      }
    });
    listener.on("upgrade", (asked, near) => {
      sockets.add(near);
      near.on("close", () => sockets.delete(near));
      near.on("error", () => {});
      if (!isIn(asked)) {
        near.end("HTTP/1.1 302 Found\r\nLocation: /gate/\r\nConnection: close\r\n\r\n");
        return;
      }
      const far = connect(Number(port), hostname);
      far.on("error", () => near.destroy());
      const pairs = asked.rawHeaders.map((text, index) => text + (index % 2 ? "\r\n" : ": "));
      far.write(`${asked.method} ${asked.url} HTTP/1.1\r\n${pairs.join("")}\r\n`);
      near.pipe(far);
      far.pipe(near);
    });
    listener.listen(0, "127.0.0.1");
    await once(listener, "listening");
    const { port: own } = listener.address() as AddressInfo;
    return new Gatekeeper(listener, sockets, `http://127.0.0.1:${own}`);
  }

  /** Ends all connections, as one that starts anew does. */
  cut(): void {
    this.listener.closeAllConnections();
    for (const socket of this.sockets) socket.destroy();
  }

  [Symbol.dispose](): void {
    this.listener.close();
    this.cut();
  }
}

function isIn({ headers }: IncomingMessage): boolean {
  return headers.cookie?.split("; ").includes(COOKIE) ?? false;
}
