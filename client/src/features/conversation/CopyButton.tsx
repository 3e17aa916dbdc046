import { useEffect, useState } from "react";
import { lazyText } from "../../i18n/i18n";
import { copyText } from "../../platform/clipboard";
import { CheckIcon, CopyIcon } from "../../ui/Icons";

/** How long the button says "copied", in milliseconds. */
const COPIED_MS = 2_000;

/** Copies a code block as it was written. */
export function CopyButton({ code }: { readonly code: string }) {
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
      onClick={() => void copyText(code).then(setCopied)}
      data-testid="copy-code"
    >
      <span aria-live="polite">{copied && lazyText.code.copied}</span>
      {copied ? <CheckIcon className="size-4" /> : <CopyIcon className="size-4" />}
    </button>
  );
}
