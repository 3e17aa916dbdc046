import { useSyncExternalStore } from "react";
import { Listeners } from "../sdk/store/listeners";
import { PAST_WORKER } from "./worker-messages";

/**
 * A proxy in front of the server may have its own log-in. When the session with the proxy has
 * ended, only loading the page from the network leads to that log-in, since the service worker
 * answers with its own copy of the page.
 */
let asked = false;
/** Whether this page was loaded from the network, past the service worker. */
let passed = false;
/** Whether this page has been connected: then somebody may be using it. */
let used = false;
const listeners = new Listeners();

/** To be called when the page starts: removes the mark for the service worker from the address. */
export function cleanAddress(): void {
  const { searchParams, pathname, hash } = new URL(location.href);
  if (!searchParams.has(PAST_WORKER)) return;
  passed = true;
  history.replaceState(history.state, "", pathname + hash);
}

/** The proxy asks for its log-in. A page that was just loaded goes there; any other one offers to. */
export function onIntercepted(): void {
  if (asked) return;
  asked = true;
  if (passed || used) listeners.tell();
  else goToProxyLogin();
}

/** Loads the page from the network, past the service worker. */
export function goToProxyLogin(): void {
  location.replace(`/?${PAST_WORKER}${location.hash}`);
}

/** Whether the proxy asks for its log-in. */
export function useProxyLogin(): boolean {
  return useSyncExternalStore(listeners.add, () => asked);
}

/** To be called when the page is connected to the server. */
export function proxyPassed(): void {
  used = true;
  if (!asked) return;
  asked = false;
  listeners.tell();
}
