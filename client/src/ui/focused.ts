/** A ref for an element that takes the focus as soon as it is there. */
export function focused(element: HTMLElement | null): void {
  element?.focus();
}
