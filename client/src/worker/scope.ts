/** The global scope of the service worker. */
export const scope = self as unknown as ServiceWorkerGlobalScope;

/** A file of the shell: its path, and its hash (`sha256-…`). */
export type ShellFile = readonly [path: string, integrity: string];

/** The files of one version of the client. */
interface Shell {
  /** Changes when any of the files does. */
  readonly version: string;
  readonly files: readonly ShellFile[];
}

/** Inserted by the build. */
declare const __SHELL__: Shell;

export const SHELL = __SHELL__;
