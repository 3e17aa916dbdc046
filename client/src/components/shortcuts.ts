/** What a key can do anywhere on the page. */
export type Action =
  | "switch"
  | "search"
  | "next"
  | "previous"
  | "nextUnread"
  | "previousUnread"
  | "back"
  | "help";

/** What of a key press decides. */
export type Press = Pick<
  KeyboardEvent,
  "key" | "altKey" | "ctrlKey" | "metaKey" | "shiftKey" | "isComposing"
>;

/** Where the focus is: in no field for text, in one that is empty, or in one with a text. */
export type Place = "elsewhere" | "empty field" | "text";

/** `null`: it is no shortcut there. A text that is being written is never disturbed by a plain key. */
export function actionOf(press: Press, place: Place): Action | null {
  const { key, altKey, ctrlKey, metaKey, shiftKey } = press;
  if (press.isComposing) return null;
  const command = ctrlKey !== metaKey;
  if (command && !altKey && !shiftKey && key.toLowerCase() === "k") return "switch";
  if (ctrlKey || metaKey) return null;
  if (altKey) return moveOf(key, shiftKey);
  if (key === "Escape") return place === "text" || shiftKey ? null : "back";
  if (place !== "elsewhere") return null;
  // On many keyboards these two are behind Shift.
  return key === "?" ? "help" : key === "/" ? "search" : null;
}

function moveOf(key: string, unread: boolean): Action | null {
  if (key === "ArrowDown") return unread ? "nextUnread" : "next";
  if (key === "ArrowUp") return unread ? "previousUnread" : "previous";
  return null;
}

/** A conversation in the order of the list. */
interface Listed {
  readonly id: string;
  readonly unread: number;
}

/**
 * The conversation above or below the one in front, `null` at the end of the
 * list. Those that are unread are searched all around.
 */
export function neighbour(
  list: readonly Listed[],
  open: string | null,
  step: 1 | -1,
  unreadOnly: boolean,
): string | null {
  const at = list.findIndex((chat) => chat.id === open);
  const start = at === -1 && step === -1 ? list.length : at;
  if (!unreadOnly) return list[start + step]?.id ?? null;
  const below = [...list.slice(start + 1), ...list.slice(0, Math.max(0, start))];
  const above = [
    ...list.slice(0, Math.max(0, start)).reverse(),
    ...list.slice(start + 1).reverse(),
  ];
  return (step === 1 ? below : above).find((chat) => chat.unread > 0)?.id ?? null;
}
