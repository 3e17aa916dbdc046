import type { EmojiData } from "frimousse";
import { type RefObject, useEffect, useLayoutEffect, useRef, useState } from "react";
import { locale, text, withLazyTexts } from "../../../i18n/i18n";
import { SmileIcon } from "../../../ui/Icons";
import type { EmojiPanel } from "./EmojiPanel";

interface Props {
  /** The field into which emoji are inserted. */
  readonly field: RefObject<HTMLTextAreaElement | null>;
}

/** Loaded when somebody wants emoji. */
interface Parts {
  readonly EmojiPanel: typeof EmojiPanel;
  readonly data: EmojiData;
}

/** A button that loads and opens the panel of emoji. */
export function EmojiButton({ field }: Props) {
  const [open, setOpen] = useState(false);
  const place = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    if (!open) return;
    const onPointerDown = ({ target }: PointerEvent) => {
      if (target instanceof Node && !place.current?.contains(target)) setOpen(false);
    };
    document.addEventListener("pointerdown", onPointerDown);
    return () => document.removeEventListener("pointerdown", onPointerDown);
  }, [open]);

  function done() {
    setOpen(false);
    field.current?.focus();
  }

  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: it listens for keys of the controls in it.
    <div
      ref={place}
      onBlur={({ relatedTarget }) => {
        if (relatedTarget !== null && !place.current?.contains(relatedTarget)) setOpen(false);
      }}
      onKeyDown={(event) => {
        if (!open || event.key !== "Escape") return;
        event.stopPropagation();
        done();
      }}
    >
      <button
        type="button"
        className="rounded-lg p-2 text-soft hover:bg-raised hover:text-ink"
        aria-label={text.emoji.open}
        data-tip={open ? undefined : text.emoji.open}
        data-tip-at="above start"
        aria-haspopup="dialog"
        aria-expanded={open}
        // Loading begins while the pointer is still on its way to a click.
        onPointerEnter={() => void load().catch(() => {})}
        onClick={() => setOpen(!open)}
        data-testid="emoji-button"
      >
        <SmileIcon className="size-6" />
      </button>
      {open && (
        <div
          role="dialog"
          aria-label={text.emoji.title}
          className="absolute inset-x-2 bottom-full z-20 mb-2 h-[min(24rem,calc(100dvh-10rem))] overflow-hidden rounded-xl border border-line bg-surface shadow-lg sm:right-auto sm:w-84"
          data-testid="emoji-panel"
        >
          <Loaded field={field} done={done} />
        </div>
      )}
    </div>
  );
}

function Loaded({ field, done }: Props & { readonly done: () => void }) {
  const [parts, setParts] = useState<Parts | null>(null);
  const [failed, setFailed] = useState(false);
  useEffect(() => {
    let gone = false;
    load().then(
      (loaded) => gone || setParts(loaded),
      () => gone || setFailed(true),
    );
    return () => {
      gone = true;
    };
  }, []);
  if (parts !== null) return <parts.EmojiPanel data={parts.data} field={field} done={done} />;
  return (
    <p role="status" className="p-6 text-center text-sm text-soft">
      {failed ? text.emoji.failed : text.emoji.loading}
    </p>
  );
}

let loading: Promise<Parts> | null = null;

/** Loads the panel and its data once, and again after a failure. */
function load(): Promise<Parts> {
  loading ??= loadParts().catch((error: unknown) => {
    loading = null;
    throw error;
  });
  return loading;
}

async function loadParts(): Promise<Parts> {
  const [{ EmojiPanel }, data] = await Promise.all([
    withLazyTexts(import("./EmojiPanel")),
    import("./emoji-data").then(({ loadEmoji }) => loadEmoji(locale)),
  ]);
  return { EmojiPanel, data };
}
