import { type BrowserContext, expect, type Page, type Worker } from "@playwright/test";
import { NOTIFICATIONS_LOCK } from "../src/notifications/notification";
import type { PushNotice } from "../src/sdk/protocol/generated";

/** What is used here of a service worker's world, whose types would clash with those of pages. */
interface Scope {
  readonly registration: ServiceWorkerRegistration;
  readonly dispatchEvent: (event: Event) => boolean;
  readonly NotificationEvent: new (type: string, init: { notification: Notification }) => Event;
}

/** Its world where the pushes are counted. */
interface Counting {
  readonly ExtendableEvent: {
    readonly prototype: { waitUntil: (this: Event, work: Promise<unknown>) => void };
  };
  pushesHandled?: number;
}

/** Until the page is under a service worker that has kept all files of its version. */
export async function isKept(page: Page): Promise<void> {
  await page.evaluate(async () => {
    await navigator.serviceWorker.ready;
    if (navigator.serviceWorker.controller !== null) return;
    await new Promise((taken) => {
      navigator.serviceWorker.addEventListener("controllerchange", taken, { once: true });
    });
  });
}

/** What the service worker shows instead of texts, as it finds it written; `null`: the texts. */
export function insteadOfTexts(page: Page): Promise<string | null> {
  return page.evaluate(
    () =>
      new Promise<string | null>((resolve, reject) => {
        const opening = indexedDB.open("tidings-kept");
        opening.onerror = () => reject(opening.error);
        opening.onsuccess = () => {
          const database = opening.result;
          const asked = database.transaction("wishes").objectStore("wishes").get(0);
          asked.onerror = () => reject(asked.error);
          asked.onsuccess = () => {
            database.close();
            resolve(asked.result?.instead ?? null);
          };
        };
      }),
  );
}

/** The service worker of a browser that has one server. */
export async function workerOf(context: BrowserContext): Promise<Worker> {
  return context.serviceWorkers()[0] ?? (await context.waitForEvent("serviceworker"));
}

/** What the notifications say that are on the screen now. */
export async function onScreen(context: BrowserContext): Promise<string[]> {
  const worker = await workerOf(context);
  return worker.evaluate(async (lock) => {
    const { registration } = self as unknown as Scope;
    const shown = await navigator.locks.request(lock, () => registration.getNotifications());
    return shown.map(({ title, body }) => `${title}: ${body}`);
  }, NOTIFICATIONS_LOCK);
}

/**
 * Tells the service worker that the only notification was clicked. There is nothing
 * to click in a browser without a screen, so what the browser grants for a click
 * (to open a window, to bring one to the front) is not granted here.
 */
export async function clickNotification(context: BrowserContext): Promise<void> {
  const worker = await workerOf(context);
  await worker.evaluate(async (lock) => {
    const scope = self as unknown as Scope;
    const list = () => scope.registration.getNotifications();
    const [notification] = await navigator.locks.request(lock, list);
    if (notification === undefined) throw new Error("there is no notification");
    scope.dispatchEvent(new scope.NotificationEvent("notificationclick", { notification }));
  }, NOTIFICATIONS_LOCK);
}

/**
 * Hands a push to the service worker, as the browser does with what it has decrypted, and waits
 * until the worker has done with it what it does.
 */
export async function deliverPush(
  context: BrowserContext,
  home: string,
  notice: PushNotice,
): Promise<void> {
  const page = context.pages()[0] ?? (await context.newPage());
  const session = await context.newCDPSession(page);
  const origin = new URL(home).origin;
  const registered = new Promise<string>((found) => {
    session.on("ServiceWorker.workerRegistrationUpdated", ({ registrations }) => {
      const ours = registrations.find(({ scopeURL }) => scopeURL === `${origin}/`);
      if (ours !== undefined) found(ours.registrationId);
    });
  });
  await session.send("ServiceWorker.enable");
  const registrationId = await registered;
  const data = JSON.stringify(notice);
  const before = await pushesHandled(context);
  await session.send("ServiceWorker.deliverPushMessage", { origin, registrationId, data });
  await expect.poll(() => pushesHandled(context)).toBe(before + 1);
  await session.detach();
}

/** How many pushes the service worker is done with, since this was asked first. */
async function pushesHandled(context: BrowserContext): Promise<number> {
  const worker = await workerOf(context);
  return worker.evaluate(() => {
    const scope = self as unknown as Counting;
    if (scope.pushesHandled === undefined) {
      scope.pushesHandled = 0;
      const { prototype } = scope.ExtendableEvent;
      const { waitUntil } = prototype;
      prototype.waitUntil = function (this: Event, work) {
        const done = () => {
          if (this.type === "push") scope.pushesHandled = (scope.pushesHandled ?? 0) + 1;
        };
        work.then(done, done);
        waitUntil.call(this, work);
      };
    }
    return scope.pushesHandled;
  });
}

/** Fails unless the worker keeps this many versions of the client. */
export async function expectVersions(page: Page, count: number): Promise<void> {
  const versions = () =>
    page.evaluate(async () => {
      const names = await caches.keys();
      return names.filter((name) => name.startsWith("tidings-shell-")).length;
    });
  await expect.poll(versions).toBe(count);
}
