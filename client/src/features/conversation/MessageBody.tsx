import { useMemo, useState } from "react";
import { isFewEmoji } from "../../format/emoji";
import { blocksOf } from "../../format/format";
import { text } from "../../i18n/i18n";
import { CodeBlock } from "./CodeBlock";
import { Inlines } from "./Inlines";

/** A text longer than this, or with more lines, is folded at first. */
const FOLD_CHARS = 1_500;
const FOLD_LINES = 24;

/** Called with the button before a long text unfolds, or folds again. */
export type OnFold = (button: Element, opens: boolean) => void;

interface Props {
  readonly body: string;
  readonly onFold: OnFold;
}

/**
 * The text of a message: elements made from data (see `format.ts`), never markup.
 * Copying from it gives the text as it reads, without formatting characters.
 */
export function MessageBody({ body, onFold }: Props) {
  const [unfolded, setUnfolded] = useState(false);
  const long = body.length > FOLD_CHARS || body.split("\n", FOLD_LINES + 1).length > FOLD_LINES;
  const folded = long && !unfolded;
  return (
    <>
      <div
        data-testid="body"
        className={`wrap-anywhere ${folded ? "max-h-72 overflow-hidden mask-b-from-75%" : ""}`}
      >
        <Blocks body={body} />
      </div>
      {long && (
        <button
          type="button"
          className="mt-1 text-sm font-medium text-accent"
          aria-expanded={unfolded}
          onClick={({ currentTarget }) => {
            onFold(currentTarget, folded);
            setUnfolded(folded);
          }}
        >
          {unfolded ? text.messages.showLess : text.messages.showAll}
        </button>
      )}
    </>
  );
}

function Blocks({ body }: { readonly body: string }) {
  const blocks = useMemo(() => blocksOf(body), [body]);
  const size = isFewEmoji(body) ? "font-emoji text-4xl" : "";
  return blocks.map((block, index) =>
    block.kind === "code" ? (
      // biome-ignore lint/suspicious/noArrayIndexKey: the blocks of a text never change places.
      <CodeBlock key={index} code={block.code} language={block.language} />
    ) : (
      // biome-ignore lint/suspicious/noArrayIndexKey: as above.
      <p key={index} dir="auto" className={`whitespace-pre-wrap ${size}`}>
        <Inlines content={block.content} />
      </p>
    ),
  );
}
