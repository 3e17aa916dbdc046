/** Placeholders in the shape of what is loading, shown when that takes noticeably long. */

interface RowsProps {
  readonly rows: number;
  /** Whether a row has a second line. */
  readonly tall?: boolean;
}

/** Rows with an avatar, for lists. */
export function RowsSkeleton({ rows, tall = false }: RowsProps) {
  return Array.from({ length: rows }, (_, row) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: they are all alike.
    <li key={row} className="late flex items-center gap-3 px-2 py-2" aria-hidden="true">
      <span className="skeleton size-9 shrink-0 rounded-full" />
      <span className="flex-1 space-y-2">
        <span className="skeleton block h-3 w-2/5" />
        {tall && <span className="skeleton block h-3 w-4/5" />}
      </span>
    </li>
  ));
}

const BUBBLES = [
  "h-10 w-1/2",
  "h-10 w-2/5 self-end",
  "h-16 w-3/5",
  "h-10 w-1/3 self-end",
  "h-10 w-2/5",
];

/** The end of a conversation. */
export function MessagesSkeleton({ label }: { readonly label: string }) {
  return (
    <div className="late min-h-0 flex-1 overflow-hidden" role="status">
      <span className="sr-only">{label}</span>
      <div className="column flex h-full flex-col justify-end gap-2 pb-3">
        {BUBBLES.map((look) => (
          <span key={look} className={`skeleton shrink-0 rounded-2xl ${look}`} />
        ))}
      </div>
    </div>
  );
}
