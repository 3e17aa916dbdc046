import { SUBPROTOCOL, type WebSocketLike } from "../sdk/engine/socket";

/** A WebSocket to the server that this page came from. */
export function openWebSocket(): WebSocketLike {
  const url = new URL("/api/socket", location.href);
  url.protocol = url.protocol.replace("http", "ws");
  return new WebSocket(url, SUBPROTOCOL);
}

/**
 * Whether it is used with fingers: there a keyboard takes half of the screen, and
 * Shift is not at hand. A machine without any pointer has keys.
 */
export function isTouched(): boolean {
  return matchMedia("(pointer: coarse)").matches;
}

/** Calls back whenever the user does something on the page. */
export function onAct(act: () => void): void {
  for (const type of ["pointerdown", "keydown"]) {
    window.addEventListener(type, act, { capture: true, passive: true });
  }
}

/** Calls back when the page may be about to end: nothing later is sure to be told. */
export function onLeave(leave: () => void): void {
  window.addEventListener("pagehide", leave);
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "hidden") leave();
  });
}

/** Input is reported at most this often: only minutes count. */
const INPUT_MS = 1_000;

/**
 * Calls back at once, and when the user does anything at all on the page, or
 * turns to it. A page that is hidden gets no input.
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
  // Not `scroll`: the page does that by itself when a message comes.
  for (const type of ["pointerdown", "keydown", "wheel", "touchmove"]) {
    window.addEventListener(type, report, options);
  }
  // Something that moves under a pointer at rest is no input either.
  const move = (event: PointerEvent) => {
    if (event.movementX !== 0 || event.movementY !== 0) report();
  };
  window.addEventListener("pointermove", move, options);
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible") report();
  });
  report();
}

/** Calls back when a connection is likely to be needed, or to be dead. */
export function onWake(wake: () => void): void {
  window.addEventListener("online", wake);
  // Nothing tells the WebSocket: without a question it would look open for half a minute.
  window.addEventListener("offline", wake);
  // A page out of the back-forward cache, or a tab that was frozen.
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) wake();
  });
  document.addEventListener("resume", wake);
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible") wake();
  });
}
