import { type Edit, type Marking, marked } from "../format/marking";

/** Puts marks around what is selected in a field, or takes them away. */
export function mark(field: HTMLTextAreaElement, marking: Marking): void {
  edit(field, marked(field.value, field.selectionStart, field.selectionEnd, marking));
}

/** Changes a field as if it were typed: it can be undone. */
function edit(field: HTMLTextAreaElement, { from, to, text, ...select }: Edit): void {
  field.focus();
  field.setSelectionRange(from, to);
  // Deprecated and without a successor: nothing else that a page does can be undone.
  document.execCommand(text === "" ? "delete" : "insertText", false, text);
  field.setSelectionRange(select.selectFrom, select.selectTo);
}
