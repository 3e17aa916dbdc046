import { type Edit, type Marking, marked } from "../format/marking";
import { isTouched } from "../platform/browser";

/** Puts marks around what is selected in a field, or takes them away. */
export function mark(field: HTMLTextAreaElement, marking: Marking): void {
  edit(field, marked(field.value, field.selectionStart, field.selectionEnd, marking));
}

/** Puts a text at the caret, or in the place of what is selected. */
export function putIn(field: HTMLTextAreaElement, text: string): void {
  const { selectionStart: from, selectionEnd: to } = field;
  const after = from + text.length;
  if (!isTouched()) {
    edit(field, { from, to, text, selectFrom: after, selectTo: after });
    return;
  }
  // Without the focus, which would bring the keyboard up; there, nobody undoes.
  field.setRangeText(text, from, to, "end");
  field.dispatchEvent(new InputEvent("input", { bubbles: true }));
}

/** Changes a field as if it were typed: it can be undone. */
function edit(field: HTMLTextAreaElement, { from, to, text, ...select }: Edit): void {
  field.focus();
  field.setSelectionRange(from, to);
  // Deprecated and without a successor: nothing else that a page does can be undone.
  document.execCommand(text === "" ? "delete" : "insertText", false, text);
  field.setSelectionRange(select.selectFrom, select.selectTo);
}
