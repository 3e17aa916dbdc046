import { useEffect, useState } from "react";
import type { MessageList } from "./MessageList";
import { useSelect } from "./use-app";

type Component = typeof MessageList;

let loaded: Component | null = null;

/** Loads it ahead of the first conversation, once the page itself is there. */
export async function loadMessageList(): Promise<Component | null> {
  try {
    loaded ??= (await import("./MessageList")).MessageList;
  } catch {
    // There is no server to load it from now; who needs it asks again.
  }
  return loaded;
}

/**
 * The list of messages, with all that draws it: a quarter of the script, which
 * the page does not wait for. `null`: not there yet.
 */
export function useMessageList(): Component | null {
  const [List, setList] = useState(() => loaded);
  const link = useSelect((state) => state.link);
  // biome-ignore lint/correctness/useExhaustiveDependencies: with each change of the link it may be there to load.
  useEffect(() => {
    if (List === null) void loadMessageList().then((now) => setList(() => now));
  }, [List, link]);
  return List;
}
