import { Fragment, lazy, useEffect, useMemo, useState } from "react";
import { text, withLazyTexts } from "../../i18n/i18n";
import { LazyBoundary } from "../../ui/LazyBoundary";
import type { highlight, Token } from "./highlight";

/** Most messages have no code. */
const CopyButton = lazy(async () => ({
  default: (await withLazyTexts(import("./CopyButton"))).CopyButton,
}));

interface Props {
  readonly code: string;
  /** The language as written; empty if none is. */
  readonly language: string;
}

/** A code block that scrolls sideways. Highlighting is loaded later, and moves nothing. */
export function CodeBlock({ code, language }: Props) {
  const tokens = useTokens(code, language);
  return (
    <figure
      dir="ltr"
      className="relative my-1 overflow-hidden rounded-lg border border-line bg-code first:mt-0.5"
      data-testid="code"
    >
      {language !== "" && (
        <figcaption className="h-8 truncate border-b border-line pr-12 pl-3 text-xs leading-8 text-soft">
          {language}
        </figcaption>
      )}
      <LazyBoundary>
        <CopyButton code={code} />
      </LazyBoundary>
      {/* biome-ignore-start lint/a11y: without a mouse, what scrolls must take the focus. */}
      <pre
        role="group"
        aria-label={text.code.label(language)}
        tabIndex={0}
        // Without a language, the first line leaves space for the button.
        translate="no"
        className={`overflow-x-auto py-2 pl-3 font-mono text-[0.8125rem] leading-5 -outline-offset-2 ${
          language === "" ? "pr-12" : "pr-3"
        }`}
      >
        <code>{tokens === null ? code : <Tokens tokens={tokens} />}</code>
      </pre>
      {/* biome-ignore-end lint/a11y: as above. */}
    </figure>
  );
}

function Tokens({ tokens }: { readonly tokens: readonly Token[] }) {
  return tokens.map((token, index) =>
    typeof token === "string" ? (
      // biome-ignore lint/suspicious/noArrayIndexKey: the tokens of a text never change places.
      <Fragment key={index}>{token}</Fragment>
    ) : (
      // biome-ignore lint/suspicious/noArrayIndexKey: as above.
      <span key={index} className={token.className}>
        <Tokens tokens={token.content} />
      </span>
    ),
  );
}

/** Cached once loaded, so that later blocks are highlighted at once. */
let highlighter: typeof highlight | null = null;

/** The tokens of the code, once the highlighter is loaded; `null` until then. */
function useTokens(code: string, language: string): readonly Token[] | null {
  const [found, setFound] = useState(() => highlighter);
  const wanted = language !== "" && found === null;
  useEffect(() => {
    if (!wanted) return;
    let gone = false;
    const loaded = (module: typeof import("./highlight")) => {
      highlighter = module.highlight;
      if (!gone) setFound(() => module.highlight);
    };
    // Without a network the code stays plain; the next block tries again.
    import("./highlight").then(loaded, () => {});
    return () => {
      gone = true;
    };
  }, [wanted]);
  return useMemo(() => found?.(code, language) ?? null, [found, code, language]);
}
