import { signOf } from "../ui/keys";

/** The actions that shortcuts perform. */
export type Action =
  | "switch"
  | "search"
  | "next"
  | "previous"
  | "nextUnread"
  | "previousUnread"
  | "back"
  | "help"
  | "write";

/** The part of a key event that decides. */
export type Press = Pick<
  KeyboardEvent,
  "key" | "code" | "altKey" | "ctrlKey" | "metaKey" | "shiftKey" | "isComposing"
>;

/** Where the focus is: outside of text fields, in an empty one, or in one with text. */
export type Place = "elsewhere" | "empty field" | "text";

/** The action of a key press; `null` if it is no shortcut. Plain keys are none in a field with text. */
export function actionOf(press: Press, place: Place): Action | null {
  const { key, altKey, ctrlKey, metaKey, shiftKey } = press;
  if (press.isComposing) return null;
  const command = ctrlKey !== metaKey;
  const sign = signOf(press);
  if (command && !altKey && !shiftKey && sign === "k") return "switch";
  if (ctrlKey || metaKey) return null;
  if (altKey) return moveOf(key, shiftKey);
  if (key === "Escape") return place === "text" || shiftKey ? null : "back";
  if (place !== "elsewhere") return null;
  // On many keyboards these two need Shift.
  if (sign === "?") return "help";
  if (sign === "/") return "search";
  return isWriting(key) ? "write" : null;
}

/** Whether a key types a character. Space does not count: it presses buttons, and scrolls. */
function isWriting(key: string): boolean {
  return key === "Dead" || (key !== " " && [...key].length === 1);
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
 * The conversation above or below the open one; `null` at the end of the
 * list. A search for unread ones wraps around.
 */
export function neighbour(
  list: readonly Listed[],
  open: string | null,
  step: 1 | -1,
  unreadOnly: boolean,
): string | null {
  const at = list.findIndex((conversation) => conversation.id === open);
  const start = at === -1 && step === -1 ? list.length : at;
  if (!unreadOnly) return list[start + step]?.id ?? null;
  const below = [...list.slice(start + 1), ...list.slice(0, Math.max(0, start))];
  const above = [
    ...list.slice(0, Math.max(0, start)).reverse(),
    ...list.slice(start + 1).reverse(),
  ];
  return (step === 1 ? below : above).find((conversation) => conversation.unread > 0)?.id ?? null;
}
