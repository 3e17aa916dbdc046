import { expect, type Page } from "@playwright/test";

declare global {
  interface Window {
    /** Every WebSocket that the page opened, in order. */
    sockets: WebSocket[];
    /** Every notification that it showed, itself or through its service worker. */
    notifications: { title: string; body: string; silent: boolean }[];
    /** How many tones it has played. */
    tones: number;
    /** The numbers that it put on the icon of the app. */
    badges: number[];
    /** How often it asked for the permission to. */
    permissionAsked: number;
    /** What the last message has been, see `recordStates`. */
    states: string[];
    /** How often a banner was seen, see `countBanners`. */
    banners: number;
    /** How often somebody was not shown as here, see `recordAbsence`. */
    absences: number;
    /** The numbers of the messages drawn, after each change of them, see `recordNumbers`. */
    numbers: number[][];
    /** What `Math.random` answers, in a test that decides it. */
    chance: number;
    /** What was on the page while it loaded. */
    shown: string[];
  }
}

/** Run in a page before its own script: keeps what the page makes of these two. */
export function observe(): void {
  window.sockets = [];
  window.notifications = [];
  window.permissionAsked = 0;
  window.WebSocket = new Proxy(WebSocket, {
    construct(target, [url, protocols]: [string, string]) {
      const socket = new target(url, protocols);
      window.sockets.push(socket);
      return socket;
    },
  });
  const note = (title: string, { body = "", silent }: NotificationOptions = {}) =>
    window.notifications.push({ title, body, silent: silent ?? false });
  window.Notification = new Proxy(Notification, {
    construct(target, [title, options]: [string, NotificationOptions]) {
      note(title, options);
      return new target(title, options);
    },
  });
  observeWorker();
  window.tones = 0;
  const { start } = OscillatorNode.prototype;
  OscillatorNode.prototype.start = function (this: OscillatorNode, at) {
    window.tones += 1;
    start.call(this, at);
  };
  window.badges = [];
  navigator.setAppBadge = async (unread) => void window.badges.push(unread ?? 0);

  /** Where there is one: an address without TLS has none. */
  function observeWorker() {
    if (!("ServiceWorkerRegistration" in window)) return;
    const { showNotification } = ServiceWorkerRegistration.prototype;
    ServiceWorkerRegistration.prototype.showNotification = function (title, options) {
      note(title, options);
      return showNotification.call(this, title, options);
    };
  }
  Notification.requestPermission = async () => {
    window.permissionAsked += 1;
    return Notification.permission;
  };
}

/** Makes a page hidden, or visible again, as a browser does that shows another tab. */
export async function setVisibility(page: Page, state: DocumentVisibilityState): Promise<void> {
  // Playwright keeps every page in focus; only the page's own view of it can be changed.
  await page.evaluate((value) => {
    Object.defineProperty(document, "visibilityState", { value, configurable: true });
    document.dispatchEvent(new Event("visibilitychange"));
  }, state);
}

/** What the page's notifications say. */
export function notificationsOf(page: Page): Promise<string[]> {
  return page.evaluate(() => window.notifications.map(({ title, body }) => `${title}: ${body}`));
}

/** Until no page of the browser is taken for one in view: the others hear of it a moment later. */
export async function noneInView(page: Page): Promise<void> {
  const held = async () => (await navigator.locks.query()).held?.map((lock) => lock.name) ?? [];
  await expect.poll(() => page.evaluate(held)).not.toContain("tidings-visible");
}

/** Begins to note every state that the last message of the page is shown in. */
export async function recordStates(page: Page): Promise<void> {
  await page.evaluate(() => {
    window.states = [];
    const note = () => {
      const last = [...document.querySelectorAll('[data-testid="message"]')].at(-1);
      const state = last?.getAttribute("data-state");
      if (state && state !== window.states.at(-1)) window.states.push(state);
    };
    const options = { subtree: true, childList: true, attributeFilter: ["data-state"] };
    new MutationObserver(note).observe(document.body, options);
  });
}

/** The states noted since, in order, each once. */
export function statesOf(page: Page): Promise<string[]> {
  return page.evaluate(() => window.states);
}

/** The open socket of a page, to ask later whether it is open still and no other was needed. */
export async function socketOf(page: Page) {
  const socket = await page.evaluateHandle(() => {
    const [only, ...others] = window.sockets;
    if (only === undefined || others.length > 0) throw new Error("there is not one socket");
    return only;
  });
  const stillTheOne = () =>
    socket.evaluate((one) => window.sockets.length === 1 && one.readyState === WebSocket.OPEN);
  return { socket, stillTheOne };
}

/** Begins to count the times that a banner is put into the page. */
export async function countBanners(page: Page): Promise<void> {
  await page.evaluate(() => {
    window.banners = 0;
    new MutationObserver(() => {
      if (document.querySelector('[data-testid="banner"]')) window.banners += 1;
    }).observe(document.body, { subtree: true, childList: true });
  });
}

export function bannersOf(page: Page): Promise<number> {
  return page.evaluate(() => window.banners);
}

/** Begins to count the changes of the page after which somebody in front is not shown as here. */
export async function recordAbsence(page: Page, name: string): Promise<void> {
  await page.evaluate((name) => {
    window.absences = 0;
    const note = () => {
      const row = document.querySelector(`[data-row][data-name="${name}"] [data-status]`);
      const told = document.querySelector('[data-testid="partner-presence"]')?.textContent;
      if (row === null || told !== "Online") window.absences += 1;
    };
    note();
    const options = { subtree: true, childList: true, characterData: true };
    new MutationObserver(note).observe(document.body, options);
  }, name);
}

export function absencesOf(page: Page): Promise<number> {
  return page.evaluate(() => window.absences);
}

/** Begins to note which messages of the log are drawn, at every change of the page. */
export async function recordNumbers(page: Page): Promise<void> {
  await page.evaluate(() => {
    window.numbers = [];
    const note = () => {
      const drawn = [...document.querySelectorAll('[data-testid="message"][data-seq]')];
      const numbers = drawn.map((row) => Number((row as HTMLElement).dataset.seq));
      if (`${numbers}` !== `${window.numbers.at(-1)}`) window.numbers.push(numbers);
    };
    note();
    const options = { subtree: true, childList: true, attributeFilter: ["data-seq"] };
    new MutationObserver(note).observe(document.body, options);
  });
}

/**
 * Asserts that what was drawn only ever grew at its end, by the next number:
 * nothing newer stood there before what came before it, nothing twice.
 */
export async function expectGrowth(page: Page, from: number, to: number): Promise<void> {
  await expect(page.locator(`[data-testid="message"][data-seq="${to}"]`)).toBeVisible();
  const pictures = await page.evaluate(() => window.numbers);
  const met = new Set<number>();
  for (const numbers of pictures) {
    const first = numbers[0] ?? 0;
    expect(numbers, "no gap, and nothing twice").toEqual(numbers.map((_, at) => first + at));
    for (const seq of numbers) met.add(seq);
  }
  // A set keeps the order in which its members came.
  expect([...met]).toEqual(Array.from({ length: to - from + 1 }, (_, at) => from + at));
}

/** Has the server refuse the next message that a page sends, for good: its text arrives blank. */
export async function refuseNext(page: Page): Promise<void> {
  await page.evaluate(() => {
    const socket = window.sockets.at(-1);
    if (socket === undefined) throw new Error("there is no connection");
    socket.send = (data) => {
      const frame = JSON.parse(String(data));
      if (frame.type !== "send" || frame.kind !== "message")
        return WebSocket.prototype.send.call(socket, data);
      Reflect.deleteProperty(socket, "send");
      socket.send(JSON.stringify({ ...frame, body: " " }));
    };
  });
}
