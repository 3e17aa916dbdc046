import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join, relative, resolve, sep } from "node:path";
import { build, type Plugin } from "vite";

/** Its name never changes: a browser asks by it for a newer version. */
const NAME = "worker.js";

/**
 * Builds the service worker after everything else, with the list of all files
 * that the client is made of, and what is in them: the worker keeps exactly these.
 */
export function serviceWorker(): Plugin {
  let root = "";
  let folder = "";
  return {
    name: "service-worker",
    apply: "build",
    configResolved(config) {
      root = config.root;
      folder = resolve(root, config.build.outDir);
    },
    closeBundle: {
      order: "post",
      sequential: true,
      async handler(error?: Error) {
        if (error === undefined) await buildWorker(root, folder, await shellOf(folder));
      },
    },
  };
}

type File = readonly [path: string, integrity: string];

async function shellOf(folder: string) {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join("/"))
    .filter((path) => path !== NAME)
    .sort();
  const files = await Promise.all(paths.map((path) => fileOf(folder, path)));
  const version = createHash("sha256").update(JSON.stringify(files)).digest("hex").slice(0, 16);
  return { version, files };
}

async function fileOf(folder: string, path: string): Promise<File> {
  const hash = createHash("sha256").update(await readFile(join(folder, path)));
  return [path === "index.html" ? "/" : `/${path}`, `sha256-${hash.digest("base64")}`];
}

/** One classic script: that is what every browser takes for a worker. */
async function buildWorker(root: string, outDir: string, shell: object): Promise<void> {
  await build({
    root,
    configFile: false,
    publicDir: false,
    logLevel: "warn",
    define: { __SHELL__: JSON.stringify(shell) },
    build: {
      outDir,
      emptyOutDir: false,
      target: "es2024",
      rolldownOptions: {
        input: join(root, "src/worker/worker.ts"),
        output: { format: "iife", entryFileNames: NAME },
      },
    },
  });
}
