import { useEffect, useState, useSyncExternalStore } from "react";
import { useSelect } from "./use-app";

/** A shorter interruption is not shown, unless the browser says that it is offline. */
const SHOWN_AFTER_MS = 3_000;

/** Whether the connection has been gone for a while, or for good. Presence is unknown then. */
export function useDisconnected(): boolean {
  const connected = useSelect((state) => state.link === "open");
  const ended = useSelect((state) => state.closeReason !== null);
  const offline = !useOnline();
  const [lasting, setLasting] = useState(false);
  useEffect(() => {
    if (connected) return;
    const timer = setTimeout(() => setLasting(true), SHOWN_AFTER_MS);
    return () => {
      clearTimeout(timer);
      setLasting(false);
    };
  }, [connected]);
  return (lasting || ended || offline) && !connected;
}

/** Whether the server has told who is online, and the page is still connected. */
export function usePresenceKnown(): boolean {
  const known = useSelect((state) => state.presence.count !== null);
  const disconnected = useDisconnected();
  return known && !disconnected;
}

/** Whether the browser says that it has a network. */
export function useOnline(): boolean {
  return useSyncExternalStore(subscribeOnline, () => navigator.onLine);
}

function subscribeOnline(listener: () => void): () => void {
  window.addEventListener("online", listener);
  window.addEventListener("offline", listener);
  return () => {
    window.removeEventListener("online", listener);
    window.removeEventListener("offline", listener);
  };
}
