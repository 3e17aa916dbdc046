import { takeNewer, useEdition } from "../platform/edition";
import { text } from "../text/text";

/** Says, quietly, that a reload brings a newer version, or what is missing of this one. */
export function EditionBanner() {
  const edition = useEdition();
  if (edition === "current") return null;
  return (
    <div
      role="status"
      className="border-b border-line bg-raised px-4 py-1.5 text-center text-sm"
      data-testid="edition"
    >
      {text.edition[edition]}
      <button
        type="button"
        className="ml-2 font-semibold text-accent underline"
        onClick={takeNewer}
        data-testid="edition-reload"
      >
        {text.edition.reload}
      </button>
    </div>
  );
}
