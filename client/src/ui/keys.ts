/** The part of a key event that identifies the key. */
export type KeyPress = Pick<KeyboardEvent, "key" | "code" | "shiftKey">;

/** A character that no Latin layout has, or a key that the browser cannot name. */
const OTHER_SCRIPT = /[^\p{ASCII}\p{Script=Latin}\p{P}\p{S}]|^(?:Unidentified|Dead|)$/u;
/** Turkish has two letters I; the one without a dot is on the key of the other layouts' I. */
const DOTLESS = /^[ıİ]$/;

/**
 * The character of a key in shortcuts: the one that it types or, where the layout types
 * another script, the one of the same key on a Latin layout. The position alone is not enough:
 * on a Latin layout such as Dvorak, the letter counts.
 */
export function signOf({ key, code, shiftKey }: KeyPress): string {
  if (DOTLESS.test(key)) return "i";
  if (key === "\u061f") return "?";
  if (!OTHER_SCRIPT.test(key)) return key.toLowerCase();
  if (code === "Slash") return shiftKey ? "?" : "/";
  return /^Key[A-Z]$/.test(code) ? code.charAt(3).toLowerCase() : key;
}
