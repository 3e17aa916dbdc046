import { text } from "../i18n/i18n";

interface Props {
  readonly says: string;
  /** Where the link leads. */
  readonly to: string;
}

/** Shown for an address that leads nowhere, with a link back. */
export function NotFound({ says, to }: Props) {
  return (
    <div
      className="flex h-full flex-col items-center justify-center gap-3 p-6 text-center"
      data-testid="not-found"
    >
      <img src="/favicon.svg" alt="" className="size-14 opacity-60" />
      <h1 className="text-lg font-semibold">{says}</h1>
      <a href={to} className="button-main">
        {text.page.home}
      </a>
    </div>
  );
}
