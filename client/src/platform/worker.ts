import type { Store } from "../sdk/store/store";
import { announceNewer } from "./edition";
import { goTo } from "./route";
import { type ToPage, type ToWorker, WORKER_PATH } from "./worker-words";

/** Between questions for a newer version, while a page stays open. */
const ASK_MS = 60 * 60 * 1_000;

/** Registers the service worker, and follows what becomes of it. */
export async function startWorker(store: Store): Promise<void> {
  if (!import.meta.env.PROD || !("serviceWorker" in navigator)) return;
  const container = navigator.serviceWorker;
  container.addEventListener("message", ({ data }) => onWord(data as ToPage));
  followController(container);
  const registration = await container.register(WORKER_PATH);
  watch(registration);
  registration.addEventListener("updatefound", () => watch(registration));
  say(registration.active, { type: "begun" });
  askAgain(store, registration);
}

function onWord(word: ToPage): void {
  if (word.type === "open") goTo(word.conversation);
}

/** Announces the version that waits, or will. */
function watch(registration: ServiceWorkerRegistration): void {
  const worker = registration.waiting ?? registration.installing;
  if (worker === null) return;
  const check = () => {
    // The first of all waits for nobody.
    if (worker.state !== "installed" || registration.active === null) return;
    announceNewer(() => takeOver(registration));
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

/** Whether it was in this page that the new version was asked for. */
let asked = false;

/**
 * A new version has taken over: the page in which that was asked for loads it, and
 * so do those that nobody looks at. Another one in view stays as it is until its
 * user wants it: its own parts are kept for as long as it runs.
 */
function followController(container: ServiceWorkerContainer): void {
  let controlled = container.controller !== null;
  container.addEventListener("controllerchange", () => {
    if (!controlled) {
      controlled = true;
      return;
    }
    if (asked || (document.visibilityState === "hidden" && !isBusy())) location.reload();
    else announceNewer(() => location.reload());
  });
}

/** Whether something is open that a reload would lose: drafts are kept, a dialog is not. */
function isBusy(): boolean {
  return document.querySelector("dialog[open]") !== null;
}

/** Asks for a newer version when the server may be another one, and once an hour. */
function askAgain(store: Store, registration: ServiceWorkerRegistration): void {
  let { link } = store.get();
  let askedAt = performance.now();
  const ask = () => {
    askedAt = performance.now();
    // It cannot be reached now: the next question is not far.
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
