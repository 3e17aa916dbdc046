import { useEffect, useRef } from "react";
import type { ConversationId } from "../sdk/protocol/generated";
import { SEARCH } from "./Sidebar";

/**
 * Puts the focus where one goes on, when a conversation closes: on its row of the
 * list, or the field above. What opens takes the focus itself: the composer, or
 * on a phone the heading.
 */
export function useFrontFocus(open: ConversationId | null): void {
  const front = useRef(open);
  useEffect(() => {
    const left = front.current;
    front.current = open;
    if (open !== null || left === null) return;
    const { activeElement } = document;
    // It went with the conversation, unless it was somewhere else.
    if (activeElement !== null && activeElement !== document.body) return;
    const row = document.querySelector<HTMLElement>(`[data-conversation="${left}"]`);
    (row ?? document.getElementById(SEARCH))?.focus();
  }, [open]);
}
