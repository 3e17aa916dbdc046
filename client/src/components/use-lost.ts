import { useEffect, useState } from "react";
import { useSelect } from "../store/hooks";

/** A shorter interruption is nobody's business. */
const PATIENCE_MS = 3_000;

/** Whether the connection has been gone for a while: who is here is not known then. */
export function useLost(): boolean {
  const connected = useSelect((state) => state.link === "open");
  const [lasting, setLasting] = useState(false);
  useEffect(() => {
    if (connected) return;
    const timer = setTimeout(() => setLasting(true), PATIENCE_MS);
    return () => {
      clearTimeout(timer);
      setLasting(false);
    };
  }, [connected]);
  return lasting && !connected;
}
