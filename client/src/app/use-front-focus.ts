import { useLayoutEffect, useRef } from "react";
import { CONVERSATIONS } from "../features/list/ConversationList";
import { isTouched } from "../platform/browser";
import type { ConversationId } from "../sdk/protocol/generated";
import { SEARCH } from "./Sidebar";

/**
 * Moves the focus when a conversation closes: to its row of the list, or
 * the search field. On a phone that field would bring the keyboard up, so the list gets the
 * focus. A conversation that opens takes the focus itself: its composer, or on a phone its heading.
 */
export function useFrontFocus(open: ConversationId | null): void {
  const front = useRef(open);
  useLayoutEffect(() => {
    const left = front.current;
    front.current = open;
    if (open !== null || left === null) return;
    const { activeElement } = document;
    // The focus was somewhere else, and stays there.
    if (activeElement !== null && activeElement !== document.body) return;
    const row = document.querySelector<HTMLElement>(`[data-conversation="${left}"]`);
    (row ?? document.getElementById(isTouched() ? CONVERSATIONS : SEARCH))?.focus();
  }, [open]);
}
