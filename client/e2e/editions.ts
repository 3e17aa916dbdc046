import { execFile } from "node:child_process";
import { once } from "node:events";
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import {
  createServer,
  type IncomingMessage,
  type Server as Listener,
  request,
  type ServerResponse,
} from "node:http";
import { type AddressInfo, connect } from "node:net";
import { join, resolve } from "node:path";
import type { Duplex } from "node:stream";
import { promisify } from "node:util";
import { ROOT } from "./server";

const SOURCES = [
  "index.html",
  "package.json",
  "public",
  "scripts",
  "src",
  "tsconfig.json",
  "vite.config.ts",
];
const TYPES = new Map([
  ["html", "text/html; charset=utf-8"],
  ["js", "text/javascript; charset=utf-8"],
  ["css", "text/css; charset=utf-8"],
  ["svg", "image/svg+xml"],
  ["png", "image/png"],
  ["webmanifest", "application/manifest+json"],
]);

/** What a page says that no conversation is in front of, in each of the two. */
export const FIRST = "Choose a conversation, or someone";
export const SECOND = "In the second edition, choose someone";

const run = promisify(execFile);

/**
 * A server whose client can be replaced by another build of it, as by an upgrade:
 * what the first one was made of is not there any more then.
 */
export class Editions {
  private readonly sockets = new Set<Duplex>();
  private readonly listener: Listener;
  private upgraded = false;
  url = "";

  private constructor(
    private readonly server: URL,
    private readonly folder: string,
  ) {
    this.listener = createServer((asked, answer) => void this.onRequest(asked, answer));
    this.listener.on("upgrade", (asked, near) => this.join(asked, near));
  }

  static async of(server: { readonly url: string }): Promise<Editions> {
    const editions = new Editions(new URL(server.url), await buildSecond());
    editions.listener.listen(0, "127.0.0.1");
    await once(editions.listener, "listening");
    editions.url = `http://127.0.0.1:${(editions.listener.address() as AddressInfo).port}`;
    return editions;
  }

  /** A server that is upgraded is started anew: everybody is cut off for a moment. */
  upgrade(): void {
    this.upgraded = true;
    for (const socket of this.sockets) socket.destroy();
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    this.listener.closeAllConnections();
    this.listener.close();
    await rm(this.folder, { recursive: true, force: true });
  }

  private async onRequest(asked: IncomingMessage, answer: ServerResponse): Promise<void> {
    const path = asked.url ?? "/";
    if (!this.upgraded || path.startsWith("/api/")) return this.pass(asked, answer);
    const name = path === "/" ? "index.html" : path.slice(1);
    try {
      const content = await readFile(join(this.folder, name));
      const policy = await this.policyOf(path);
      const type = TYPES.get(name.split(".").at(-1) ?? "") ?? "application/octet-stream";
      const headers = { "Content-Type": type, "Cache-Control": "no-cache" };
      answer.writeHead(200, policy === null ? headers : { ...headers, ...policy }).end(content);
    } catch {
      answer.writeHead(404).end();
    }
  }

  /** The server's own, which does not change with the edition. */
  private async policyOf(path: string) {
    const { headers } = await fetch(new URL(path, this.server), { method: "HEAD" });
    const policy = headers.get("Content-Security-Policy");
    return policy === null ? null : { "Content-Security-Policy": policy };
  }

  private pass(asked: IncomingMessage, answer: ServerResponse): void {
    const { hostname, port } = this.server;
    const { method = "GET", url = "/", headers } = asked;
    const passed = request({ hostname, port, path: url, method, headers }, (got) => {
      answer.writeHead(got.statusCode ?? 502, got.headers);
      got.pipe(answer);
    });
    passed.on("error", () => answer.destroy());
    asked.pipe(passed);
  }

  /** A WebSocket: from now on bytes only. */
  private join(asked: IncomingMessage, near: Duplex): void {
    const far = connect(Number(this.server.port), this.server.hostname);
    const lines = [`${asked.method} ${asked.url} HTTP/1.1`];
    for (let at = 0; at < asked.rawHeaders.length; at += 2) {
      lines.push(`${asked.rawHeaders[at]}: ${asked.rawHeaders[at + 1]}`);
    }
    far.write(`${lines.join("\r\n")}\r\n\r\n`);
    near.pipe(far).pipe(near);
    for (const [end, other] of [
      [near, far],
      [far, near],
    ] as const) {
      this.sockets.add(end);
      // An end that breaks off is closed, and the other with it.
      end.on("error", () => {});
      end.on("close", () => {
        this.sockets.delete(end);
        other.destroy();
      });
    }
  }
}

/** Builds the client from the same sources, but for one sentence. */
async function buildSecond(): Promise<string> {
  const folder = await mkdtemp(join(ROOT, "e"));
  const [client, output] = [join(folder, "client"), join(folder, "dist")];
  for (const source of SOURCES) await cp(source, join(client, source), { recursive: true });
  await symlink(resolve("node_modules"), join(client, "node_modules"));
  const texts = join(client, "src/i18n/en.ts");
  const english = await readFile(texts, "utf8");
  if (!english.includes(FIRST)) throw new Error(`no text begins with "${FIRST}"`);
  await writeFile(texts, english.replace(FIRST, SECOND));
  const { NODE_ENV: _test, ...env } = process.env;
  await run("node", ["node_modules/vite/bin/vite.js", "build", "--outDir", output], {
    cwd: client,
    env,
  });
  return output;
}
