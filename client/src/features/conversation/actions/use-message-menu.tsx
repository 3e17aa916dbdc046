import { lazy, type MouseEvent, type PointerEvent, useCallback, useRef, useState } from "react";
import type { Message } from "../../../sdk/protocol/message";
import { LazyBoundary } from "../../../ui/LazyBoundary";
import type { OpenMenu, Point } from "./actions";

const MessageMenu = lazy(async () => ({
  default: (await import("./MessageMenu")).MessageMenu,
}));

/** How long a finger rests on a message until its menu opens, in milliseconds. */
const LONG_PRESS_MS = 500;
/** How far a finger may move meanwhile, in pixels. */
const STILL = 10;
/** Here the browser's own menu can do more. */
const OTHERS = "a, button, input, textarea, pre";

/** The menu of a list's messages: by right click, long press, or a key. */
export function useMessageMenu(messages: readonly Message[], pinned: readonly number[]) {
  const [open, setOpen] = useState<{ readonly seq: number; readonly at: Point } | null>(null);
  const press = useRef<{ readonly at: Point; readonly timer: ReturnType<typeof setTimeout> }>(null);
  // Looked for only while the menu is open: thousands of messages may be held.
  const message = open === null ? undefined : messages.findLast(({ seq }) => seq === open.seq);
  const onMenu: OpenMenu = useCallback((seq, at) => setOpen({ seq, at }), []);

  function endPress() {
    clearTimeout(press.current?.timer);
    press.current = null;
  }

  const handlers = {
    onContextMenu(event: MouseEvent<HTMLElement>) {
      const seq = seqAt(event.target);
      if (seq === null || getSelection()?.isCollapsed === false) return;
      event.preventDefault();
      endPress();
      onMenu(seq, { x: event.clientX, y: event.clientY });
    },
    // Safari on phones has no `contextmenu` for a long press.
    onPointerDown(event: PointerEvent<HTMLElement>) {
      endPress();
      const seq = seqAt(event.target);
      if (event.pointerType !== "touch" || seq === null) return;
      const at = { x: event.clientX, y: event.clientY };
      const timer = setTimeout(() => {
        endPress();
        endTouch();
        onMenu(seq, at);
      }, LONG_PRESS_MS);
      press.current = { at, timer };
    },
    onPointerMove({ clientX, clientY }: PointerEvent<HTMLElement>) {
      const { current } = press;
      if (current === null) return;
      if (Math.hypot(clientX - current.at.x, clientY - current.at.y) > STILL) endPress();
    },
    onPointerUp: endPress,
    onPointerCancel: endPress,
  };

  const menu = message !== undefined && open !== null && (
    <LazyBoundary>
      <MessageMenu
        key={message.seq}
        message={message}
        pinned={pinned.includes(message.seq)}
        at={open.at}
        onClose={() => setOpen(null)}
      />
    </LazyBoundary>
  );
  return { onMenu, handlers, menu };
}

/** The finger that is down presses nothing of what it opened when it is lifted. */
function endTouch(): void {
  const over = new AbortController();
  const options = { capture: true, passive: false, signal: over.signal };
  const lifted = (event: Event) => {
    event.preventDefault();
    over.abort();
  };
  window.addEventListener("touchend", lifted, options);
  window.addEventListener("touchcancel", () => over.abort(), options);
}

/** The number of the message there; `null` where there is none, or the browser has a better menu. */
function seqAt(target: EventTarget): number | null {
  if (!(target instanceof Element) || target.closest(OTHERS) !== null) return null;
  const seq = target.closest<HTMLElement>("article[data-seq]")?.dataset.seq;
  return seq === undefined ? null : Number(seq);
}
