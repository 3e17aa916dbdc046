import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { appendFile, chmod, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";

/** The program under test; `cargo test` names the one it built. */
const PROGRAM = resolve(process.env.TIDINGS_PROGRAM ?? "../target/debug/tidings");
/** Where directories are made, of data and of profiles; what `cargo test` names is removed with its run. */
export const ROOT = process.env.TIDINGS_TEST_ROOT ?? tmpdir();

const ANNOUNCEMENT = "tidings listening on ";
/** In its log. */
const METRICS = /metrics on (\S+)/g;

/** What tests would only wait for, unless it is what they test. */
const DEFAULTS = {
  TIDINGS_FAULTS: "on",
  TIDINGS_LOGINS_PER_MINUTE: "10000000",
  TIDINGS_METRICS_LISTEN: "127.0.0.1:0",
  TIDINGS_SHUTDOWN_SPREAD_MS: "0",
};

/** Where sends have no rate, frames have none: tests write a whole history at once. */
const NO_BUDGET = { TIDINGS_FRAMES_PER_SECOND: "0", TIDINGS_FRAME_BYTES_PER_SECOND: "0" };

const run = promisify(execFile);

/** For tests in which people come back to it and that is not the point. */
export const QUICK_RETURN = { TIDINGS_RECONNECT_MIN_MS: "50", TIDINGS_RECONNECT_MAX_MS: "200" };

export type Settings = Readonly<Record<string, string>>;

/**
 * The real program with a PostgreSQL of its own, that can be killed and
 * started again on the same port and data.
 */
export class Server {
  private child: ChildProcess | null = null;
  private log = "";
  /** Its address, the same for as long as its data is there. */
  url = "";

  private constructor(
    private readonly directory: string,
    private readonly settings: Settings,
  ) {}

  static async start(settings: Settings = {}): Promise<Server> {
    const directory = await mkdtemp(join(ROOT, "t"));
    // As root, PostgreSQL runs as another user.
    await chmod(directory, 0o711);
    const budget = settings.TIDINGS_SENDS_PER_SECOND === "0" ? NO_BUDGET : {};
    const server = new Server(directory, { ...DEFAULTS, ...budget, ...settings });
    await server.run();
    return server;
  }

  /** Starts the program; on the port it had, when it ran before. */
  async run(): Promise<void> {
    const { PATH, TIDINGS_POSTGRES_BIN } = process.env;
    const child = spawn(PROGRAM, {
      cwd: this.directory,
      // Nothing from the outside but where programs are.
      env: {
        PATH,
        ...(TIDINGS_POSTGRES_BIN ? { TIDINGS_POSTGRES_BIN } : {}),
        TIDINGS_DATA_DIR: this.directory,
        TIDINGS_LISTEN: this.url === "" ? "127.0.0.1:0" : new URL(this.url).host,
        ...this.settings,
      },
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.child = child;
    child.stderr.on("data", (text) => {
      this.log += text;
    });
    this.url = await this.announced(child.stdout);
    // For who removes what a killed run leaves.
    await writeFile(join(this.directory, "server.pid"), `${child.pid}`);
  }

  /** Ends it and leaves its data; with SIGKILL as a crash does. */
  async end(signal: "SIGTERM" | "SIGKILL"): Promise<void> {
    const { child } = this;
    this.child = null;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, "exit");
    child.kill(signal);
    await ended;
  }

  /** Kills PostgreSQL, which does not come up again without its data. */
  async takeDatabase(): Promise<void> {
    const data = this.database;
    const postmaster = Number.parseInt(await readFile(join(data, "postmaster.pid"), "utf8"), 10);
    process.kill(postmaster, "SIGKILL");
    await rename(data, `${data}.away`);
  }

  /** Now the server can start it again, by itself. */
  async returnDatabase(): Promise<void> {
    await rename(`${this.database}.away`, this.database);
  }

  /** What an operator does every night; to be called while it does not run. */
  async copyDatabase(): Promise<void> {
    await run("cp", ["-a", this.database, this.copy]);
  }

  /**
   * What an operator does who needs that copy: puts it back as it is, or lets it
   * recover up to the last that the archive has, which is nothing here. To be
   * called while it does not run.
   */
  async restoreDatabase(way: "copied back" | "recovered"): Promise<void> {
    await rm(this.database, { recursive: true });
    await rename(this.copy, this.database);
    if (way === "copied back") return;
    await appendFile(join(this.database, "postgresql.auto.conf"), "restore_command = 'false'\n");
    await writeFile(join(this.database, "recovery.signal"), "");
  }

  /** One of its metrics. */
  async metric(name: string): Promise<number> {
    // After a restart it is another port.
    const url = [...this.log.matchAll(METRICS)].at(-1)?.[1];
    if (url === undefined) throw new Error(`there are no metrics in ${this.log}`);
    const text = await (await fetch(url)).text();
    const line = text.split("\n").find((line) => line.startsWith(`${name} `));
    if (line === undefined) throw new Error(`there is no ${name} in ${text}`);
    return Number(line.slice(name.length));
  }

  /** Ends it in order and removes everything. */
  async remove(): Promise<void> {
    await this.end("SIGTERM");
    await rm(this.directory, { recursive: true, force: true });
  }

  /** What its PostgreSQL keeps. */
  get database(): string {
    return join(this.directory, "postgres/data");
  }

  private get copy(): string {
    return join(this.directory, "yesterday");
  }

  /** The address in the one line on its standard output. */
  private async announced(output: NodeJS.ReadableStream): Promise<string> {
    for await (const line of createInterface(output)) {
      if (line.startsWith(ANNOUNCEMENT)) return line.slice(ANNOUNCEMENT.length);
    }
    throw new Error(`the server did not start: ${this.log}`);
  }
}
