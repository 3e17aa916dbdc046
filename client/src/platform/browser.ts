import type { WebSocketLike } from "../sdk/connection/socket";
import { SUBPROTOCOL } from "../sdk/protocol/generated";

/** A WebSocket to the server that this page came from. */
export function openWebSocket(): WebSocketLike {
  const url = new URL("/api/socket", location.href);
  url.protocol = url.protocol.replace("http", "ws");
  return new WebSocket(url, SUBPROTOCOL);
}

/**
 * Whether the main pointer is a finger: then the keyboard takes half of the screen, and
 * Shift is out of reach. A device without any pointer has a keyboard.
 */
export function isTouched(): boolean {
  return matchMedia("(pointer: coarse)").matches;
}

/** Whether the browser accepts cookies: without, a new name would be lost at once. */
export function takesCookies(): boolean {
  const probe = "tidings_probe=1";
  try {
    // biome-ignore lint/suspicious/noDocumentCookie: the Cookie Store needs a secure context.
    document.cookie = `${probe}; SameSite=Strict`;
    const taken = navigator.cookieEnabled && document.cookie.includes(probe);
    // biome-ignore lint/suspicious/noDocumentCookie: as above.
    document.cookie = `${probe}; SameSite=Strict; Max-Age=0`;
    return taken;
  } catch {
    return false;
  }
}

/** Calls back whenever the user does something on the page. */
export function onAct(act: () => void): void {
  for (const type of ["pointerdown", "keydown"]) {
    window.addEventListener(type, act, { capture: true, passive: true });
  }
}

/** Calls back when the page may be about to close: no later event is certain. */
export function onLeave(leave: () => void): void {
  window.addEventListener("pagehide", leave);
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "hidden") leave();
  });
}

/** The shortest time between two reports of input: only minutes matter. */
const INPUT_MS = 1_000;

/**
 * Calls back at once, and whenever there is any input on the page, or the user
 * returns to it. A hidden page gets no input.
 */
export function onInput(input: () => void): void {
  let reportedAt = Number.NEGATIVE_INFINITY;
  const report = () => {
    const now = performance.now();
    if (now - reportedAt < INPUT_MS) return;
    reportedAt = now;
    input();
  };
  const options = { capture: true, passive: true };
  // Not `scroll`: the page scrolls by itself when a message arrives.
  for (const type of ["pointerdown", "keydown", "wheel", "touchmove"]) {
    window.addEventListener(type, report, options);
  }
  // Elements that move under a resting pointer are no input either.
  const move = (event: PointerEvent) => {
    if (event.movementX !== 0 || event.movementY !== 0) report();
  };
  window.addEventListener("pointermove", move, options);
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible") report();
  });
  report();
}

/**
 * Calls back when files are dropped on the page, or pasted. Without this, a browser
 * would open a dropped file instead of the page.
 */
export function onFiles(given: () => void): void {
  for (const type of ["dragenter", "dragover"] as const) {
    window.addEventListener(type, (event) => {
      if (hasFiles(event.dataTransfer)) event.preventDefault();
    });
  }
  window.addEventListener("drop", (event) => {
    if (!hasFiles(event.dataTransfer)) return;
    event.preventDefault();
    given();
  });
  window.addEventListener("paste", ({ clipboardData }) => {
    // Content copied from a document has text as well, which is pasted.
    if (hasFiles(clipboardData) && !clipboardData?.types.includes("text/plain")) given();
  });
}

function hasFiles(data: DataTransfer | null): boolean {
  return data?.types.includes("Files") ?? false;
}

/** Calls back when the network is lost, which the WebSocket does not notice for a while. */
export function onOffline(gone: () => void): void {
  window.addEventListener("offline", gone);
}

/** Calls back when a connection is likely needed, or likely dead. */
export function onWake(wake: () => void): void {
  window.addEventListener("online", wake);
  // A page from the back-forward cache, or a tab that was frozen.
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) wake();
  });
  document.addEventListener("resume", wake);
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible") wake();
  });
}
