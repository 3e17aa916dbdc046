import type { ConversationId } from "../sdk/protocol/generated";

/** Messages between pages and the service worker, and names that both use. */

export const WORKER_PATH = "/worker.js";

/** The beginning of the name of a version's cache. */
export const SHELL_CACHE = "tidings-shell-";

/** A page holds the lock of this name and the path of the code that it runs. */
export const CODE_LOCK = "tidings-code-";

export type ToWorker =
  /** The user wants the waiting version now. */
  | { readonly type: "take-over" }
  /** A page has started: older versions may be unused now. */
  | { readonly type: "begun" };

export type ToPage = {
  /** A notification was clicked. */
  readonly type: "open";
  readonly conversation: ConversationId;
};

/** A page with this in its query is loaded past the service worker. */
export const PAST_WORKER = "past-worker";
