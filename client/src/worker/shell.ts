import { CODE_LOCK, SHELL_CACHE } from "../platform/worker-words";
import { SHELL, type ShellFile, scope } from "./scope";

/** The page itself; its file is put last: a cache that has it has them all. */
const PAGE = "/";

const INTEGRITY = new Map(SHELL.files);

/** Named by the content: a version that differs in the worker's own code only is kept once. */
const CACHE = SHELL_CACHE + SHELL.version;

/** Keeps all files of this version, or rejects: a version is never kept in part. */
export async function install(): Promise<void> {
  const cache = await caches.open(CACHE);
  if ((await cache.match(PAGE)) !== undefined) return;
  const others = SHELL.files.filter(([path]) => path !== PAGE);
  await Promise.all(others.map((file) => keep(cache, file)));
  const page = INTEGRITY.get(PAGE);
  if (page === undefined) throw new Error("the build names no page");
  await keep(cache, [PAGE, page]);
  // Whoever swept meanwhile took it for an old one.
  if (!(await caches.has(CACHE))) throw new Error("the cache is gone");
}

/** What the worker answers itself; everything else, as all of `/api`, goes to the server. */
export function answers(request: Request): boolean {
  const { origin, pathname } = new URL(request.url);
  if (request.method !== "GET" || origin !== scope.location.origin) return false;
  return INTEGRITY.has(pathname) || isAsset(pathname);
}

/**
 * A file of this version; where it has none of that name, as a page of an older
 * one asks, that version's; where there is none any more, the server's.
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

/** Lets go of versions that no page runs any more. */
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
