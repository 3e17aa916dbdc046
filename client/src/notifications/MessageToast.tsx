interface Props {
  readonly from: string;
  readonly excerpt: string;
  readonly onOpen: () => void;
}

/** A message in another conversation; clicking the toast opens it. */
export function MessageToast({ from, excerpt, onOpen }: Props) {
  return (
    <button
      type="button"
      onClick={onOpen}
      // Every message is announced to screen readers already, see `Announcements`.
      aria-live="off"
      data-testid="toast"
      className="block w-[min(22rem,calc(100vw-2rem))] rounded-xl border border-line bg-surface px-4 py-3 text-left text-ink shadow-lg hover:bg-raised"
    >
      <bdi className="block truncate font-semibold">{from}</bdi>
      <bdi className="line-clamp-2 text-sm wrap-anywhere text-soft">{excerpt}</bdi>
    </button>
  );
}
