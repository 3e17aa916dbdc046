import type { ConversationId } from "../sdk/protocol/generated";

/** What pages and the service worker say to each other, and call by the same name. */

export const WORKER_PATH = "/worker.js";

/** The beginning of the name of a version's cache. */
export const SHELL_CACHE = "tidings-shell-";

/** A page holds the lock of this name and the path of the code that it runs. */
export const CODE_LOCK = "tidings-code-";

export type ToWorker =
  /** The user wants the version that waits, now. */
  | { readonly type: "take-over" }
  /** A page has begun: versions may have gone out of use. */
  | { readonly type: "begun" };

export type ToPage = {
  /** A notification was clicked. */
  readonly type: "open";
  readonly conversation: ConversationId;
};
