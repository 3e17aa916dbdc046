import { useEffect, useState } from "react";
import { useSelect } from "./use-app";

/** A shorter interruption is nobody's business. */
const PATIENCE_MS = 3_000;

/** Whether the connection has been gone for a while, or for good: who is here is not known then. */
export function useLost(): boolean {
  const connected = useSelect((state) => state.link === "open");
  const ended = useSelect((state) => state.ending !== null);
  const [lasting, setLasting] = useState(false);
  useEffect(() => {
    if (connected) return;
    const timer = setTimeout(() => setLasting(true), PATIENCE_MS);
    return () => {
      clearTimeout(timer);
      setLasting(false);
    };
  }, [connected]);
  return (lasting || ended) && !connected;
}

/** Whether it is known who is here. */
export function useTold(): boolean {
  const told = useSelect((state) => state.presence.count !== null);
  const lost = useLost();
  return told && !lost;
}
