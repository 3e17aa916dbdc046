import { useMemo, useState } from "react";
import { linkify } from "../format/links";
import { text } from "../text/text";

/** A text longer than this, or with more lines, is folded at first. */
const FOLD_CHARS = 1_500;
const FOLD_LINES = 24;

interface Props {
  readonly body: string;
  readonly unfolding: () => void;
}

/** Text as text, never as markup; addresses can be followed. */
export function Body({ body, unfolding }: Props) {
  const [unfolded, setUnfolded] = useState(false);
  const pieces = useMemo(() => linkify(body), [body]);
  const long = body.length > FOLD_CHARS || body.split("\n", FOLD_LINES + 1).length > FOLD_LINES;
  const folded = long && !unfolded;
  return (
    <>
      <p
        dir="auto"
        data-testid="body"
        className={`wrap-anywhere whitespace-pre-wrap ${folded ? "max-h-72 overflow-hidden" : ""}`}
      >
        {pieces.map((piece, index) =>
          piece.href === undefined ? (
            piece.text
          ) : (
            <a
              // biome-ignore lint/suspicious/noArrayIndexKey: the pieces of a text never change places.
              key={index}
              href={piece.href}
              target="_blank"
              rel="noopener noreferrer"
              className="text-accent underline underline-offset-2"
            >
              {piece.text}
            </a>
          ),
        )}
      </p>
      {long && (
        <button
          type="button"
          className="mt-1 text-sm font-medium text-accent"
          aria-expanded={unfolded}
          onClick={() => {
            unfolding();
            setUnfolded(!unfolded);
          }}
        >
          {unfolded ? text.messages.showLess : text.messages.showAll}
        </button>
      )}
    </>
  );
}
