import { useEffect, useState } from "react";
import { useSelect } from "../../ui/use-app";
import type { MessageList } from "./MessageList";

type Component = typeof MessageList;

let loaded: Component | null = null;

/** Loads the list before the first conversation is opened, after the page itself. */
export async function loadMessageList(): Promise<Component | null> {
  try {
    loaded ??= (await import("./MessageList")).MessageList;
  } catch {
    // The server cannot be reached: the next call tries again.
  }
  return loaded;
}

/**
 * The list of messages with all that renders it: a fifth of the script, which
 * the page does not wait for. Returns `null` until it is loaded.
 */
export function useMessageList(): Component | null {
  const [List, setList] = useState(() => loaded);
  const link = useSelect((state) => state.link);
  // biome-ignore lint/correctness/useExhaustiveDependencies: after each change of the connection, loading may succeed.
  useEffect(() => {
    if (List === null) void loadMessageList().then((now) => setList(() => now));
  }, [List, link]);
  return List;
}
