import { type KeyboardEvent, useLayoutEffect, useRef } from "react";
import { text } from "../../../i18n/i18n";
import type { Message } from "../../../sdk/protocol/message";
import { signOf } from "../../../ui/keys";
import { useCommands } from "../../../ui/use-app";
import { type Action, actionsOf, type Point } from "./actions";

/** The least distance between the menu and the edges of the page, in pixels. */
const MARGIN = 8;

export interface MessageMenuProps {
  readonly message: Message;
  readonly pinned: boolean;
  /** Where to open it, in the coordinates of the viewport. A touch screen has a sheet instead. */
  readonly at: Point;
  readonly onClose: () => void;
}

/** Everything that can be done with a message. It returns the focus when it closes. */
export function MessageMenu({ message, pinned, at, onClose }: MessageMenuProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const commands = useCommands();
  const actions = actionsOf(message, pinned, commands);

  useLayoutEffect(() => {
    dialog.current?.showModal();
    itemsOf(dialog.current)[0]?.focus();
  }, []);

  // After it is shown: only then it has a size.
  useLayoutEffect(() => {
    const menu = dialog.current;
    if (menu === null || !matchMedia("(hover: hover)").matches) return;
    const { width, height } = menu.getBoundingClientRect();
    const below = at.y + height + MARGIN <= innerHeight;
    menu.style.left = `${within(at.x, innerWidth - width)}px`;
    menu.style.top = `${within(below ? at.y : at.y - height, innerHeight - height)}px`;
  }, [at]);

  // What it is about may go, and with it the list.
  useLayoutEffect(() => () => dialog.current?.close(), []);

  function choose({ act }: Action) {
    // Closed first: it gives the focus back, and what the action does may move it.
    dialog.current?.close();
    act();
  }

  function onKeyDown(event: KeyboardEvent<HTMLElement>) {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const items = itemsOf(dialog.current);
    const now = items.indexOf(event.target as HTMLElement);
    const to = {
      ArrowDown: (now + 1) % items.length,
      ArrowUp: (now - 1 + items.length) % items.length,
      Home: 0,
      End: items.length - 1,
      Tab: now,
    }[event.key];
    const chosen = actions.find(({ key }) => key === signOf(event.nativeEvent));
    if (to === undefined && chosen === undefined) return;
    event.preventDefault();
    if (to !== undefined) items[to]?.focus();
    else if (chosen !== undefined) choose(chosen);
  }

  return (
    <dialog
      ref={dialog}
      className="message-menu"
      aria-label={text.actions.label}
      onClose={onClose}
      onPointerDown={({ target, currentTarget }) => {
        // Beside the menu, the dialog itself is touched.
        if (target === currentTarget) currentTarget.close();
      }}
    >
      <div role="menu" aria-label={text.actions.label} onKeyDown={onKeyDown}>
        {actions.map((action) => (
          <button
            key={action.name}
            type="button"
            role="menuitem"
            tabIndex={-1}
            className="message-menu-item"
            aria-keyshortcuts={action.key}
            onClick={() => choose(action)}
            data-testid={`menu-${action.name}`}
          >
            {action.icon}
            <span className="flex-1 text-start">{action.label}</span>
            {action.key && (
              <span className="key text-xs text-soft" aria-hidden="true">
                {action.key.toUpperCase()}
              </span>
            )}
          </button>
        ))}
      </div>
    </dialog>
  );
}

const itemsOf = (menu: HTMLElement | null): HTMLElement[] => [
  ...(menu?.querySelectorAll<HTMLElement>('[role="menuitem"]') ?? []),
];

const within = (position: number, end: number) =>
  Math.max(MARGIN, Math.min(position, end - MARGIN));
