import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { type Browser, type BrowserContext, chromium } from "@playwright/test";
import { ROOT } from "./server";

/** What a browser on a test machine has no use for: a graphics card, and talk with the world. */
export const ARGS = [
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** Set by `cargo test`; unset, Playwright's own Chromium is used. */
export const PROGRAM = process.env.TIDINGS_CHROMIUM;

/** Root's Chromium has no sandbox. */
export const SANDBOX = process.getuid?.() !== 0;

/** In which it opens its window, on a machine that is busy with other tests. */
const START_MS = 60_000;

/**
 * A Chromium as somebody has it at home: with a profile that stays, tabs that
 * are hidden by others and put to sleep, pages kept for the way back, and a
 * process that can be killed. Playwright's own is spared all of that.
 */
export class Chromium {
  private child: ChildProcess | null = null;
  private browser: Browser | null = null;

  private constructor(private readonly directory: string) {}

  static async install(): Promise<Chromium> {
    return new Chromium(await mkdtemp(join(ROOT, "c")));
  }

  /** Starts it, with whatever its profile holds. */
  async run(): Promise<BrowserContext> {
    const own = [
      `--user-data-dir=${join(this.directory, "profile")}`,
      "--headless",
      // Playwright waits for ever for a page that opens while it attaches and does not
      // answer (microsoft/playwright#42730): there is none.
      "--no-startup-window",
      "--window-size=1100,800",
      "--remote-debugging-port=0",
      "--password-store=basic",
      ...(SANDBOX ? [] : ["--no-sandbox"]),
    ];
    const child = spawn(PROGRAM ?? chromium.executablePath(), [...ARGS, ...own], {
      // With a group of its own, that can be killed as a whole.
      detached: true,
      stdio: ["ignore", "ignore", "pipe"],
    });
    this.child = child;
    // For who removes what a killed run leaves.
    await writeFile(join(this.directory, "server.pid"), `${child.pid}`);
    this.browser = await chromium.connectOverCDP(await debuggerOf(child), {
      noDefaults: true,
      timeout: START_MS,
    });
    const [context] = this.browser.contexts();
    if (context === undefined) throw new Error("Chromium has no window");
    return context;
  }

  /** Ends it as its user does: what it keeps is written. */
  async quit(): Promise<void> {
    const session = await this.browser?.newBrowserCDPSession();
    const ended = this.ended();
    // The answer may be cut off by the end.
    await session?.send("Browser.close").catch(() => {});
    await ended;
  }

  /** All its processes at once, as the system does that is out of memory. */
  async kill(): Promise<void> {
    const { child } = this;
    if (child?.pid === undefined || !alive(child)) return;
    const ended = this.ended();
    process.kill(-child.pid, "SIGKILL");
    await ended;
  }

  async remove(): Promise<void> {
    await this.kill();
    // Helpers that are on their way out may still write.
    await rm(this.directory, { recursive: true, force: true, maxRetries: 10 });
  }

  private async ended(): Promise<void> {
    const { child } = this;
    if (child !== null && alive(child)) await once(child, "exit");
  }
}

function alive(child: ChildProcess): boolean {
  return child.exitCode === null && child.signalCode === null;
}

/** The address that it prints when it is up. */
async function debuggerOf(child: ChildProcess): Promise<string> {
  if (child.stderr === null) throw new Error("Chromium has no standard error");
  const said: string[] = [];
  for await (const line of createInterface(child.stderr)) {
    const address = /^DevTools listening on (ws:\S+)/.exec(line)?.[1];
    if (address !== undefined) {
      // Whatever else it says is read, so that it never waits for a reader.
      child.stderr.resume();
      return address;
    }
    said.push(line);
  }
  throw new Error(`Chromium did not start: ${said.join("\n")}`);
}
