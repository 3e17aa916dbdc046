/** The world that this runs in. */
export const scope = self as unknown as ServiceWorkerGlobalScope;

/** One file of the shell: where it is, and what must be there (`sha256-…`). */
export type ShellFile = readonly [path: string, integrity: string];

/** The files of one version of the client. */
interface Shell {
  /** Another one when any of them changes. */
  readonly version: string;
  readonly files: readonly ShellFile[];
}

/** Put in by the build. */
declare const __SHELL__: Shell;

export const SHELL = __SHELL__;
