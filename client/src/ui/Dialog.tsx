import { type ReactNode, useLayoutEffect, useRef } from "react";
import { lazyText } from "../i18n/i18n";
import { CloseIcon } from "./Icons";

interface Props {
  readonly title: string;
  readonly onClose: () => void;
  readonly children: ReactNode;
}

/** A modal dialog, which keeps the focus, and returns it when it closes. */
export function Dialog({ title, onClose, children }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  useLayoutEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog
      ref={dialog}
      onClose={onClose}
      aria-labelledby="dialog-title"
      className="m-auto max-h-[calc(100dvh-2rem)] w-[min(30rem,calc(100vw-2rem))] rounded-2xl border border-line bg-surface p-0 text-ink shadow-xl backdrop:bg-black/40"
    >
      <header className="flex items-center justify-between border-b border-line px-5 py-3">
        <h2 id="dialog-title" className="text-lg font-semibold">
          {title}
        </h2>
        <button
          type="button"
          className="rounded-lg p-2 text-soft hover:bg-raised hover:text-ink"
          onClick={() => dialog.current?.close()}
          aria-label={lazyText.settings.close}
        >
          <CloseIcon />
        </button>
      </header>
      {children}
    </dialog>
  );
}
