import { CODE_LOCK, PAST_WORKER, SHELL_CACHE } from "../platform/worker-messages";
import { SHELL, type ShellFile, scope } from "./scope";

/** The page itself. Its file is stored last, so a cache that has it is complete. */
const PAGE = "/";

const INTEGRITY = new Map(SHELL.files);

/** Named by the content, so that versions that differ in the worker's code only share a cache. */
const CACHE = SHELL_CACHE + SHELL.version;

/** Stores all files of this version, or rejects: a version is never stored in part. */
export async function install(): Promise<void> {
  const cache = await caches.open(CACHE);
  if ((await cache.match(PAGE)) !== undefined) return;
  const others = SHELL.files.filter(([path]) => path !== PAGE);
  await Promise.all(others.map((file) => keep(cache, file)));
  const page = INTEGRITY.get(PAGE);
  if (page === undefined) throw new Error("the build names no page");
  await keep(cache, [PAGE, page]);
  // A concurrent sweep may have deleted the cache.
  if (!(await caches.has(CACHE))) throw new Error("the cache is gone");
}

/** Whether the worker answers a request itself; all others, such as `/api`, go to the server. */
export function answers(request: Request): boolean {
  const { origin, pathname, searchParams } = new URL(request.url);
  if (request.method !== "GET" || origin !== scope.location.origin) return false;
  // Only the network leads to the log-in of a proxy.
  if (searchParams.has(PAST_WORKER)) return false;
  return INTEGRITY.has(pathname) || isAsset(pathname);
}

/**
 * Answers with a file of this version; or, for a page of an older version,
 * with that version's file; or else with the server's.
 */
export async function answer(request: Request): Promise<Response> {
  const { pathname } = new URL(request.url);
  const options = { ignoreVary: true, ignoreSearch: true };
  const cache = await caches.open(CACHE);
  const own = await cache.match(pathname, options);
  if (own !== undefined) return own;
  const other = isAsset(pathname) ? await caches.match(pathname, options) : undefined;
  return other ?? fetch(request);
}

/** Deletes versions that no page runs any more. */
export async function sweep(): Promise<void> {
  const { waiting, installing } = scope.registration;
  // A newer version's cache is not in use yet.
  if (waiting !== null || installing !== null) return;
  const { held = [] } = await scope.navigator.locks.query();
  const running = held
    .flatMap(({ name }) => name ?? [])
    .filter((name) => name.startsWith(CODE_LOCK))
    .map((name) => name.slice(CODE_LOCK.length));
  for (const name of await caches.keys()) {
    if (!name.startsWith(SHELL_CACHE) || name === CACHE) continue;
    const cache = await caches.open(name);
    const uses = await Promise.all(running.map((code) => cache.match(code)));
    if (uses.every((use) => use === undefined)) await caches.delete(name);
  }
}

async function keep(cache: Cache, [path, integrity]: ShellFile): Promise<void> {
  const kept = isAsset(path) ? await caches.match(path, { ignoreVary: true }) : undefined;
  const response = kept ?? (await fetch(path, { integrity, cache: "no-cache" }));
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  await cache.put(path, response);
}

/** Its name changes with its content. */
function isAsset(path: string): boolean {
  return path.startsWith("/assets/");
}
