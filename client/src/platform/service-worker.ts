import type { Store } from "../sdk/store/store";
import { announceNewVersion } from "./app-version";
import { goTo } from "./route";
import { type ToPage, type ToWorker, WORKER_PATH } from "./worker-messages";

/** The time between checks for a newer version while a page stays open. */
const ASK_MS = 60 * 60 * 1_000;

/** Registers the service worker, and follows its updates. */
export async function startWorker(store: Store): Promise<void> {
  if (!import.meta.env.PROD || !("serviceWorker" in navigator)) return;
  const container = navigator.serviceWorker;
  container.addEventListener("message", ({ data }) => onWord(data as ToPage));
  followController(container);
  const registration = await container.register(workerUrl());
  watch(registration);
  registration.addEventListener("updatefound", () => watch(registration));
  say(registration.active, { type: "begun" });
  askAgain(store, registration);
}

/**
 * The worker's path as `register` takes it: the page's policy lets no text become
 * a script's address but by this one rule (Trusted Types).
 */
function workerUrl(): string {
  const { trustedTypes } = window as { trustedTypes?: TrustedTypePolicyFactory };
  const policy = trustedTypes?.createPolicy("tidings-worker", {
    createScriptURL: () => WORKER_PATH,
  });
  // The types of `register` know of strings only.
  return (policy?.createScriptURL("") as string | undefined) ?? WORKER_PATH;
}

/** Not in the types of the DOM yet. */
interface TrustedTypePolicyFactory {
  createPolicy(
    name: string,
    rules: { createScriptURL(input: string): string },
  ): { createScriptURL(input: string): unknown };
}

function onWord(word: ToPage): void {
  if (word.type === "open") goTo(word.conversation);
}

/** Announces a version that is waiting, or will be. */
function watch(registration: ServiceWorkerRegistration): void {
  const worker = registration.waiting ?? registration.installing;
  if (worker === null) return;
  const check = () => {
    // The very first version does not wait.
    if (worker.state !== "installed" || registration.active === null) return;
    announceNewVersion(() => takeOver(registration));
  };
  check();
  worker.addEventListener("statechange", check);
}

function takeOver({ waiting }: ServiceWorkerRegistration): void {
  asked = true;
  // It may have taken over already.
  if (waiting === null) location.reload();
  else say(waiting, { type: "take-over" });
}

/** Whether the user asked for the new version in this page. */
let asked = false;

/**
 * When a new version takes over, the page in which the user asked for it reloads, and so
 * do hidden pages. Another visible page keeps running until its user wants the new version:
 * the files of its own version are kept meanwhile.
 */
function followController(container: ServiceWorkerContainer): void {
  let controlled = container.controller !== null;
  container.addEventListener("controllerchange", () => {
    if (!controlled) {
      controlled = true;
      return;
    }
    if (asked || (document.visibilityState === "hidden" && !isBusy())) location.reload();
    else announceNewVersion(() => location.reload());
  });
}

/** Whether a reload would lose something: drafts are kept, an open dialog is not. */
function isBusy(): boolean {
  return document.querySelector("dialog[open]") !== null;
}

/** Checks for a newer version after every connection, since the server may be newer, and once an hour. */
function askAgain(store: Store, registration: ServiceWorkerRegistration): void {
  let { link } = store.get();
  let askedAt = performance.now();
  const ask = () => {
    askedAt = performance.now();
    // The server cannot be reached: the next check comes soon.
    registration.update().catch(() => {});
  };
  store.subscribe(() => {
    const before = link;
    ({ link } = store.get());
    if (link === "open" && before !== "open") ask();
  });
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible" && performance.now() - askedAt > ASK_MS) ask();
  });
}

function say(worker: ServiceWorker | null, word: ToWorker): void {
  worker?.postMessage(word);
}
