import { type RefObject, useEffect, useLayoutEffect, useMemo, useState } from "react";
import { locale, text } from "../../../i18n/i18n";
import { noteEmoji, skinTone } from "../../../platform/emoji-preferences";
import { putOver } from "../field";
import { loadEmojiWithCodes, skinsOf } from "./emoji-data";
import { type EmojiWithCodes, emojiLike, emojiOf, typedShortcode } from "./shortcodes";

/** How many emoji are offered. */
const OFFERED = 6;
/** The id of the list, for the field that it belongs to. */
const LIST = "emoji-completion";

interface Props {
  /** The field in which a shortcode is typed. */
  readonly field: RefObject<HTMLTextAreaElement | null>;
  /** The text of the field. */
  readonly typed: string;
}

/**
 * Offers emoji while a shortcode is typed, as in `:smi`. The field keeps the focus:
 * arrows choose, Enter and Tab insert, Escape closes, and a second colon inserts
 * the emoji with exactly that shortcode.
 */
export function EmojiCompletion({ field, typed }: Props) {
  const caret = useCaret(field, typed);
  const code = useMemo(() => typedShortcode(typed, caret), [typed, caret]);
  const all = useEmojiWithCodes(code !== null);
  const [declined, setDeclined] = useState<number | null>(null);
  const [choice, setChoice] = useState({ word: "", at: 0 });
  const exact = code?.closed ? emojiOf(all, code.word) : undefined;
  const offered = useMemo(
    () => (code === null || code.closed ? [] : emojiLike(all, code.word, OFFERED)),
    [all, code],
  );
  const open = code !== null && declined !== code.from && offered.length > 0;
  const chosen = choice.word === code?.word ? choice.at : 0;

  function take(coded: EmojiWithCodes) {
    const { current } = field;
    if (current === null || code === null) return;
    const tone = skinTone();
    const emoji = coded.toned && tone !== "none" ? skinsOf(coded.emoji)[tone] : coded.emoji;
    noteEmoji(emoji);
    putOver(current, code.from, caret, emoji);
  }

  useEffect(() => {
    if (exact !== undefined) take(exact);
  });

  useEffect(() => {
    if (code === null) setDeclined(null);
  }, [code]);

  // With the list: a key that follows it at once must not send the message, or leave it.
  useLayoutEffect(() => {
    const { current } = field;
    if (current === null || !open || code === null) return;
    const choose = (at: number) =>
      setChoice({ word: code.word, at: (at + offered.length) % offered.length });
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.isComposing || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey)
        return;
      const coded = offered[chosen];
      if (event.key === "ArrowDown") choose(chosen + 1);
      else if (event.key === "ArrowUp") choose(chosen - 1);
      else if (event.key === "Escape") setDeclined(code.from);
      else if (["Enter", "Tab"].includes(event.key) && coded !== undefined) take(coded);
      else return;
      event.preventDefault();
      // Neither the field nor the page must handle the key.
      event.stopPropagation();
    };
    // Before the field itself handles the key.
    current.addEventListener("keydown", onKeyDown, true);
    current.setAttribute("aria-controls", LIST);
    current.setAttribute("aria-activedescendant", `${LIST}-${chosen}`);
    return () => {
      current.removeEventListener("keydown", onKeyDown, true);
      current.removeAttribute("aria-controls");
      current.removeAttribute("aria-activedescendant");
    };
  });

  if (!open) return null;
  return (
    <div
      id={LIST}
      role="listbox"
      aria-label={text.emoji.title}
      className="absolute inset-x-2 bottom-full z-20 mb-2 rounded-xl border border-line bg-surface p-1 shadow-lg sm:right-auto sm:w-72"
      data-testid="emoji-completion"
    >
      {offered.map((coded, at) => (
        // biome-ignore lint/a11y/useKeyWithClickEvents: its keys are those of the field, which keeps the focus.
        <div
          key={coded.emoji}
          id={`${LIST}-${at}`}
          role="option"
          tabIndex={-1}
          aria-selected={at === chosen}
          // The field keeps the focus, and a phone its keyboard.
          onPointerDown={(event) => event.preventDefault()}
          onPointerMove={() => setChoice({ word: code.word, at })}
          onClick={() => take(coded)}
          className={`flex cursor-pointer items-center gap-3 rounded-lg px-2 py-1.5 ${at === chosen ? "bg-chosen" : ""}`}
        >
          <span className="w-7 text-center font-emoji text-xl" aria-hidden="true">
            {coded.emoji}
          </span>
          <span className="min-w-0 flex-1 truncate text-sm">:{coded.codes[0]}:</span>
          <span className="max-w-[35%] truncate text-xs text-soft">{coded.label}</span>
        </div>
      ))}
    </div>
  );
}

/** The position of the caret; -1 if text is selected. */
function useCaret(field: RefObject<HTMLTextAreaElement | null>, typed: string): number {
  const [caret, setCaret] = useState(-1);
  // biome-ignore lint/correctness/useExhaustiveDependencies: with another text the caret is elsewhere.
  useLayoutEffect(() => {
    const look = () => {
      const { current } = field;
      const single = current !== null && current.selectionStart === current.selectionEnd;
      setCaret(single ? current.selectionEnd : -1);
    };
    look();
    document.addEventListener("selectionchange", look);
    return () => document.removeEventListener("selectionchange", look);
  }, [field, typed]);
  return caret;
}

const NONE: readonly EmojiWithCodes[] = [];

/** All emoji with their shortcodes, loaded when they are needed. */
function useEmojiWithCodes(needed: boolean): readonly EmojiWithCodes[] {
  const [all, setAll] = useState(NONE);
  const wanted = needed && all === NONE;
  useEffect(() => {
    if (!wanted) return;
    let gone = false;
    loadEmojiWithCodes(locale).then(
      (loaded) => gone || setAll(loaded),
      // If loading fails, the shortcode stays as typed.
      () => {},
    );
    return () => {
      gone = true;
    };
  }, [wanted]);
  return all;
}
