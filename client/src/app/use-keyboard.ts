import { useCallback, useEffect } from "react";
import { COMPOSER } from "../features/conversation/Composer";
import { goTo } from "../platform/route";
import { conversationListRows } from "../sdk/store/selectors";
import { useCommands, usePeek } from "../ui/use-app";
import { SEARCH } from "./Sidebar";
import { type Action, actionOf, neighbour, type Place } from "./shortcuts";
import type { ShowPanel } from "./use-panels";

/** More of the list is loaded when fewer conversations than this are left below the open one. */
const AHEAD = 5;

/** The shortcuts of the page. */
export function useKeyboard(show: ShowPanel): void {
  const act = useAct(show);
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      // Dialogs handle their own keys.
      if (event.defaultPrevented || document.querySelector("dialog[open]") !== null) return;
      const action = actionOf(event, placeOf(event.target));
      if (action === null) return;
      // The browser also handles Escape, and a letter must still be typed.
      if (action !== "back" && action !== "write") event.preventDefault();
      act(action);
    };
    window.addEventListener("keydown", onKeyDown);
    window.addEventListener("paste", onPaste);
    return () => {
      window.removeEventListener("keydown", onKeyDown);
      window.removeEventListener("paste", onPaste);
    };
  }, [act]);
}

/** Text pasted outside of fields goes to the message, as typed text does. */
function onPaste(event: ClipboardEvent): void {
  const composer = document.getElementById(COMPOSER);
  const pasted = event.clipboardData?.getData("text/plain") ?? "";
  if (pasted === "" || placeOf(event.target) !== "elsewhere") return;
  if (!(composer instanceof HTMLTextAreaElement) || document.querySelector("dialog[open]")) return;
  event.preventDefault();
  void import("../features/conversation/field").then(({ putIn }) => putIn(composer, pasted));
}

/** Returns a function that performs the action of a shortcut. */
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
        case "write":
          return document.getElementById(COMPOSER)?.focus();
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

/** Returns a function that moves through the list of conversations, and loads more in time. */
function useMove(): (step: 1 | -1, unreadOnly: boolean) => void {
  const commands = useCommands();
  const peek = usePeek();
  return useCallback(
    (step, unreadOnly) => {
      const { conversations, outbox, open } = peek();
      const list = conversationListRows(conversations, outbox.entries).map(
        ({ conversation }) => conversation,
      );
      const next = neighbour(list, open, step, unreadOnly);
      const place = list.findIndex((conversation) => conversation.id === (next ?? open));
      if (list.length - place <= AHEAD) void commands.loadMoreConversations();
      if (next !== null) goTo(next);
    },
    [commands, peek],
  );
}

/** Returns `false` if the list is not visible. */
function focusSearch(): boolean {
  const field = document.getElementById(SEARCH);
  if (field === null || !field.checkVisibility()) return false;
  field.focus();
  return true;
}

/** Types of inputs that take no text. */
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
