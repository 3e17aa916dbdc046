import { useCallback, useEffect } from "react";
import { goTo } from "../platform/route";
import { chatRows } from "../sdk/store/selectors";
import { SEARCH } from "./Sidebar";
import { type Action, actionOf, neighbour, type Place } from "./shortcuts";
import { useCommands, usePeek } from "./use-app";
import type { ShowPanel } from "./use-panels";

/** Conversations left below the one in front, when more of the list is loaded. */
const AHEAD = 5;

/** The shortcuts of the page. */
export function useKeyboard(show: ShowPanel): void {
  const act = useAct(show);
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      // A dialog has keys of its own.
      if (event.defaultPrevented || document.querySelector("dialog[open]") !== null) return;
      const action = actionOf(event, placeOf(event.target));
      if (action === null) return;
      // Escape has other tasks as well, which the browser knows.
      if (action !== "back") event.preventDefault();
      act(action);
    };
    window.addEventListener("keydown", onKeyDown);
    return () => window.removeEventListener("keydown", onKeyDown);
  }, [act]);
}

/** Does what a shortcut is for. */
function useAct(show: ShowPanel): (action: Action) => void {
  const move = useMove();
  const peek = usePeek();
  return useCallback(
    (action) => {
      switch (action) {
        case "switch":
          return show("switcher");
        case "help":
          return show("shortcuts");
        case "search":
          return focusSearch() ? undefined : show("switcher");
        case "back":
          return peek().open === null ? undefined : goTo(null);
        case "next":
          return move(1, false);
        case "previous":
          return move(-1, false);
        case "nextUnread":
          return move(1, true);
        case "previousUnread":
          return move(-1, true);
      }
    },
    [move, peek, show],
  );
}

/** Goes up or down in the list of conversations, and has more of it loaded in time. */
function useMove(): (step: 1 | -1, unreadOnly: boolean) => void {
  const commands = useCommands();
  const peek = usePeek();
  return useCallback(
    (step, unreadOnly) => {
      const { chats, outbox, open } = peek();
      const list = chatRows(chats, outbox.entries).map(({ chat }) => chat);
      const next = neighbour(list, open, step, unreadOnly);
      const place = list.findIndex((chat) => chat.id === (next ?? open));
      if (list.length - place <= AHEAD) void commands.loadMoreChats();
      if (next !== null) goTo(next);
    },
    [commands, peek],
  );
}

/** `false`: the list is not in view. */
function focusSearch(): boolean {
  const field = document.getElementById(SEARCH);
  if (field === null || !field.checkVisibility()) return false;
  field.focus();
  return true;
}

/** Fields in which nothing is written. */
const NO_TEXT: ReadonlySet<string> = new Set([
  "button",
  "checkbox",
  "color",
  "file",
  "image",
  "radio",
  "range",
  "reset",
  "submit",
]);

function placeOf(target: EventTarget | null): Place {
  if (!(target instanceof HTMLElement)) return "elsewhere";
  if (target.isContentEditable) return "text";
  if (target instanceof HTMLSelectElement) return "empty field";
  const field = target instanceof HTMLInputElement || target instanceof HTMLTextAreaElement;
  if (!field || NO_TEXT.has(target.type)) return "elsewhere";
  return target.value === "" ? "empty field" : "text";
}
