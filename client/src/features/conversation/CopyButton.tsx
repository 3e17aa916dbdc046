import { type RefObject, useEffect, useState } from "react";
import { lazyText } from "../../i18n/i18n";
import { CheckIcon, Strokes } from "../../ui/Icons";

/** How long the button says "copied", in milliseconds. */
const COPIED_MS = 2_000;

interface Props {
  readonly code: string;
  /** The element that shows the code. */
  readonly shown: RefObject<HTMLElement | null>;
}

/** Copies a code block as it was written. */
export function CopyButton({ code, shown }: Props) {
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => setCopied(false), COPIED_MS);
    return () => clearTimeout(timer);
  }, [copied]);
  return (
    <button
      type="button"
      className="absolute top-0 right-0 flex h-7.75 items-center gap-1.5 rounded-bl-lg bg-code px-2.5 text-xs text-soft -outline-offset-2 hover:text-ink"
      aria-label={lazyText.code.copy}
      onClick={() => void copy(code, shown.current).then(setCopied)}
      data-testid="copy-code"
    >
      <span aria-live="polite">{copied && lazyText.code.copied}</span>
      {copied ? (
        <CheckIcon className="size-4" />
      ) : (
        <Strokes className="size-4">
          <path d="M9 9h10v11H9zM5 15V4h10" />
        </Strokes>
      )}
    </button>
  );
}

/** Copies the code. Over plain HTTP there is no clipboard API: then the element is selected and copied. */
async function copy(code: string, shown: HTMLElement | null): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(code);
    return true;
  } catch {
    if (shown === null) return false;
    getSelection()?.selectAllChildren(shown);
    return document.execCommand("copy");
  }
}
