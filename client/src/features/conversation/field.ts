import { type Edit, type Marking, marked } from "../../format/marking";
import { isTouched } from "../../platform/browser";

/** Puts formatting marks around the selection of a field, or removes them. */
export function mark(field: HTMLTextAreaElement, marking: Marking): void {
  edit(field, marked(field.value, field.selectionStart, field.selectionEnd, marking));
}

/** Inserts text at the caret, or replaces the selection. */
export function putIn(field: HTMLTextAreaElement, text: string): void {
  const { selectionStart: from, selectionEnd: to } = field;
  const after = from + text.length;
  if (!isTouched()) {
    edit(field, { from, to, text, selectFrom: after, selectTo: after });
    return;
  }
  // Without focusing, which would open the keyboard. Phones have no undo to support.
  field.setRangeText(text, from, to, "end");
  field.dispatchEvent(new InputEvent("input", { bubbles: true }));
}

/** Replaces the text between two positions, the second of which is the caret. */
export function putOver(field: HTMLTextAreaElement, from: number, to: number, text: string): void {
  field.setSelectionRange(from, to);
  putIn(field, text);
}

/** Edits a field as if by typing, so that it can be undone. */
function edit(field: HTMLTextAreaElement, { from, to, text, ...select }: Edit): void {
  field.focus();
  field.setSelectionRange(from, to);
  // Deprecated, but the only way to make an edit that can be undone.
  document.execCommand(text === "" ? "delete" : "insertText", false, text);
  field.setSelectionRange(select.selectFrom, select.selectTo);
}
