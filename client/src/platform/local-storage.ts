/**
 * Small values that outlive the page, in `localStorage`, which writes at once, even
 * while the page is being closed. A browser that refuses storage loses them with the
 * page, and nothing else breaks.
 */

/** The value of a key; `null` if there is none, or storage is refused. */
export function read(key: string): string | null {
  return guarded(() => localStorage.getItem(key)) ?? null;
}

/** Sets the value of a key; `null` removes it. */
export function write(key: string, value: string | null): void {
  guarded(() => {
    if (value === null) localStorage.removeItem(key);
    else localStorage.setItem(key, value);
  });
}

/** Returns `undefined` where storage throws because it is switched off or full. */
export function guarded<T>(use: () => T): T | undefined {
  try {
    return use();
  } catch {
    return undefined;
  }
}
