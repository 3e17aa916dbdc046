import type { EmojiData } from "frimousse";
import { useMemo } from "react";
import { lazyText } from "../../../i18n/i18n";

interface Props {
  readonly data: EmojiData;
  readonly columns: number;
}

/** Buttons that scroll to each category of the list below. */
export function EmojiCategories({ data, columns }: Props) {
  const places = useMemo(() => placesOf(data, columns), [data, columns]);
  return (
    <nav aria-label={lazyText.emoji.categories} className="flex border-b border-line px-2 pb-1">
      {places.map(({ label, sign, row }, index) => (
        <button
          key={label}
          type="button"
          className="h-8 min-w-0 flex-1 rounded-lg font-emoji text-lg opacity-70 grayscale hover:bg-raised hover:opacity-100 focus-visible:opacity-100"
          aria-label={label}
          title={label}
          onClick={({ currentTarget }) => goTo(currentTarget, index, row)}
          data-testid="emoji-category"
        >
          {sign}
        </button>
      ))}
    </nav>
  );
}

interface Place {
  readonly label: string;
  /** The first emoji of the category represents it. */
  readonly sign: string;
  /** How many rows of emoji are above it. */
  readonly row: number;
}

function placesOf({ categories, emojis }: EmojiData, columns: number): Place[] {
  let row = 0;
  return categories.flatMap(({ index, label }) => {
    const those = emojis.filter(({ category }) => category === index);
    const [first] = those;
    if (first === undefined) return [];
    const place = { label, sign: first.emoji, row };
    row += Math.ceil(those.length / columns);
    return [place];
  });
}

/** Only rows in view are rendered, so the position is computed from the heights that the list has measured. */
function goTo(inside: HTMLElement, headings: number, rows: number): void {
  const root = inside.closest<HTMLElement>("[frimousse-root]");
  const measured = (name: string) =>
    Number.parseFloat(root?.style.getPropertyValue(`--frimousse-${name}-height`) ?? "") || 0;
  root
    ?.querySelector("[frimousse-viewport]")
    ?.scrollTo({ top: headings * measured("category-header") + rows * measured("row") });
}
