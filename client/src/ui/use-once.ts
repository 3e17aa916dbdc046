import { useState } from "react";

/** Stays `true` once it was. */
export function useOnce(now: boolean): boolean {
  const [held, setHeld] = useState(now);
  if (now && !held) setHeld(true);
  return held || now;
}
