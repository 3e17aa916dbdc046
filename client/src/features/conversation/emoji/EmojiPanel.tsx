import {
  type EmojiData,
  EmojiPicker,
  type EmojiPickerListCategoryHeaderProps,
  type EmojiPickerListEmojiProps,
  type EmojiPickerListRowProps,
  type SkinTone,
} from "frimousse";
import { type AriaAttributes, type RefObject, useState } from "react";
import { lazyText, text } from "../../../i18n/i18n";
import { isTouched } from "../../../platform/browser";
import { noteEmoji, recentEmoji, setSkinTone, skinTone } from "../../../platform/emoji-preferences";
import { focused } from "../../../ui/focused";
import { putIn } from "../field";
import { EmojiCategories } from "./EmojiCategories";

const COLUMNS = 8;

interface Props {
  readonly data: EmojiData;
  /** The field into which emoji are inserted. */
  readonly field: RefObject<HTMLTextAreaElement | null>;
  /** Closes it. */
  readonly done: () => void;
}

/** Search, recently used emoji, and all emoji by category; arrows and Enter work from the search field. */
export function EmojiPanel({ data, field, done }: Props) {
  const [search, setSearch] = useState("");

  function pick(emoji: string) {
    noteEmoji(emoji);
    if (field.current !== null) putIn(field.current, emoji);
    // On a phone the panel replaces the keyboard, and stays open.
    if (!isTouched()) done();
  }

  return (
    <EmojiPicker.Root
      className="isolate flex h-full flex-col"
      columns={COLUMNS}
      locale={data.locale}
      resolveEmojiData={() => data}
      skinTone={skinTone()}
      onEmojiSelect={({ emoji }) => pick(emoji)}
    >
      <div className="flex gap-2 p-2">
        <EmojiPicker.Search
          className="field min-w-0 flex-1 appearance-none"
          placeholder={lazyText.emoji.search}
          aria-label={lazyText.emoji.search}
          // Not where this would open a keyboard over half of the screen.
          ref={isTouched() ? undefined : focused}
          value={search}
          onChange={(event) => setSearch(event.target.value)}
          onKeyDown={(event) => {
            if (event.key !== "Enter") return;
            event.preventDefault();
            clickFound(event.currentTarget, data);
          }}
          data-testid="emoji-search"
        />
        <Tones />
      </div>
      {search === "" && <EmojiCategories data={data} columns={COLUMNS} />}
      {search === "" && <Recent onPick={pick} />}
      <EmojiPicker.Viewport className="min-h-0 flex-1 outline-none" tabIndex={-1}>
        <EmojiPicker.Empty className="block p-6 text-center text-sm text-soft">
          {lazyText.emoji.nothing}
        </EmojiPicker.Empty>
        <EmojiPicker.List
          className="px-2 pb-2 select-none"
          aria-label={text.emoji.title}
          components={{ CategoryHeader, Row, Emoji }}
        />
      </EmojiPicker.Viewport>
      <p className="h-8 truncate border-t border-line px-3 text-sm leading-8 text-soft" aria-hidden>
        <EmojiPicker.ActiveEmoji>
          {({ emoji }) => emoji && `${emoji.emoji} ${emoji.label}`}
        </EmojiPicker.ActiveEmoji>
      </p>
    </EmojiPicker.Root>
  );
}

/** How many frames to wait for the result of a search. */
const FRAMES_MAX = 60;

/**
 * Picks what is active in the list. The list follows the search some frames later: typing
 * fast would pick the result for half of the word.
 */
function clickFound(search: HTMLInputElement, data: EmojiData, frames = 0): void {
  const wanted = search.value.trim().toLowerCase();
  const cell = search.closest("[frimousse-root]")?.querySelector("button[data-active]");
  const found = data.emojis.find(({ label }) => label === cell?.getAttribute("aria-label"));
  const words = [found?.label, ...(found?.tags ?? [])];
  if (cell instanceof HTMLElement && words.some((word) => word?.toLowerCase().includes(wanted))) {
    cell.click();
  } else if (frames < FRAMES_MAX) {
    requestAnimationFrame(() => clickFound(search, data, frames + 1));
  }
}

function Recent({ onPick }: { readonly onPick: (emoji: string) => void }) {
  // As when the panel opened: buttons that move under a finger are missed.
  const [recent] = useState(recentEmoji);
  if (recent.length === 0) return null;
  return (
    <fieldset aria-label={lazyText.emoji.recent} className="flex px-2 pb-1">
      {recent.slice(0, COLUMNS).map((emoji) => (
        <button
          key={emoji}
          type="button"
          className="h-9 max-w-[12.5%] flex-1 rounded-lg text-xl hover:bg-raised"
          onClick={() => onPick(emoji)}
        >
          {emoji}
        </button>
      ))}
    </fieldset>
  );
}

function Tones() {
  return (
    <EmojiPicker.SkinTone>
      {({ skinTone: chosen, setSkinTone: choose, skinToneVariations }) => {
        const at = skinToneVariations.findIndex((tone) => tone.skinTone === chosen);
        const next: SkinTone =
          skinToneVariations[(at + 1) % skinToneVariations.length]?.skinTone ?? "none";
        return (
          <button
            type="button"
            className="rounded-lg px-2 text-xl hover:bg-raised"
            aria-label={lazyText.emoji.tone(chosen)}
            onClick={() => {
              choose(next);
              setSkinTone(next);
            }}
            data-testid="skin-tone"
          >
            {skinToneVariations[at]?.emoji}
          </button>
        );
      }}
    </EmojiPicker.SkinTone>
  );
}

function CategoryHeader({ category, ...props }: EmojiPickerListCategoryHeaderProps) {
  return (
    <div {...props} className="bg-surface px-1 py-1.5 text-xs font-semibold text-soft">
      {category.label}
    </div>
  );
}

/**
 * The list scrolls by the number of a row, which is now off by one: the margin, a row
 * and a heading high, corrects that.
 */
function Row(props: EmojiPickerListRowProps) {
  return <div {...fromOne(props, "aria-rowindex")} className="scroll-mb-16" />;
}

function Emoji({ emoji, ...props }: EmojiPickerListEmojiProps) {
  return (
    <button
      {...fromOne(props, "aria-colindex")}
      type="button"
      className="h-9 max-w-[12.5%] flex-1 rounded-lg text-xl data-active:bg-raised"
    >
      {emoji.emoji}
    </button>
  );
}

/** ARIA counts rows and columns from 1, the list from 0. */
function fromOne<P extends AriaAttributes>(props: P, name: "aria-rowindex" | "aria-colindex"): P {
  const index = props[name];
  return index === undefined ? props : { ...props, [name]: index + 1 };
}
