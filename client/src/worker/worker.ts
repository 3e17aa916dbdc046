import type { ToWorker } from "../platform/worker-messages";
import { onClick } from "./click";
import { onPush } from "./push";
import { scope } from "./scope";
import { answer, answers, install, sweep } from "./shell";
import { renew } from "./subscription";

/**
 * The service worker. It stores the files of one version of the client, so that the
 * page opens without a network, and shows pushed messages while no page is open.
 * A new version waits until the user wants it or no page is left.
 */
scope.addEventListener("install", (event) => event.waitUntil(install()));

scope.addEventListener("activate", (event) => {
  // Including pages that were opened before there was a worker.
  event.waitUntil(scope.clients.claim().then(sweep));
});

scope.addEventListener("fetch", (event) => {
  if (answers(event.request)) event.respondWith(answer(event.request));
});

scope.addEventListener("message", (event) => {
  const word = event.data as ToWorker;
  if (word.type === "take-over") void scope.skipWaiting();
  else event.waitUntil(sweep());
});

scope.addEventListener("push", (event) => event.waitUntil(onPush(event.data)));

scope.addEventListener("notificationclick", (event) =>
  event.waitUntil(onClick(event.notification)),
);

scope.addEventListener("pushsubscriptionchange", (event) => {
  (event as ExtendableEvent).waitUntil(renew(event));
});
