import type { Inline } from "../../format/inline";
import { isOwn } from "../../platform/route";

/** The pieces of a line as elements. */
export function Inlines({ content }: { readonly content: readonly Inline[] }) {
  return content.map((piece, index) =>
    // biome-ignore lint/suspicious/noArrayIndexKey: the pieces of a text never change places.
    piece.kind === "text" ? piece.text : <Piece key={index} piece={piece} />,
  );
}

function Piece({ piece }: { readonly piece: Inline }) {
  switch (piece.kind) {
    case "text":
      return piece.text;
    case "code":
      return (
        <code
          dir="ltr"
          translate="no"
          className="rounded-sm bg-code px-1 py-px font-mono text-[0.9em]"
        >
          {piece.text}
        </code>
      );
    case "link":
      return (
        <a
          href={piece.href}
          // The text around it must not change its direction.
          dir="ltr"
          target={isOwn(piece.href) ? undefined : "_blank"}
          rel="noopener noreferrer"
          className="text-accent underline underline-offset-2"
        >
          {piece.text}
        </a>
      );
    case "bold":
      return (
        <strong className="font-semibold">
          <Inlines content={piece.content} />
        </strong>
      );
    case "italic":
      return (
        <em>
          <Inlines content={piece.content} />
        </em>
      );
    case "struck":
      return (
        <s>
          <Inlines content={piece.content} />
        </s>
      );
  }
}
