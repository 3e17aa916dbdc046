import { useRef, useState } from "react";
import { lazyText, text } from "../../i18n/i18n";
import { clearDrafts } from "../../platform/drafts";
import type { ApiError } from "../../sdk/connection/api";
import { isMessageEntry } from "../../sdk/outbox/outbox";
import { selectMe } from "../../sdk/store/selectors";
import { focused } from "../../ui/focused";
import { useSelect } from "../../ui/use-app";

interface Props {
  /** For tests. */
  readonly name: string;
  readonly label: string;
  readonly leave: () => Promise<ApiError | null>;
}

/** A button that logs out; it asks again if something would be lost. */
export function LogOutButton({ name, label, leave }: Props) {
  const me = useSelect(selectMe);
  const hasPassword = useSelect((state) => state.auth.kind === "active" && state.auth.hasPassword);
  const waiting = useSelect((state) => state.outbox.entries.filter(isMessageEntry).length);
  const [asks, setAsks] = useState(false);
  const [refusal, setRefusal] = useState<string | null>(null);
  const first = useRef<HTMLButtonElement>(null);

  async function go() {
    const refused = await leave();
    if (refused === null && me !== null) clearDrafts(me.id);
    setRefusal(refused && text.problem(refused.code, refused.message));
  }

  function ask() {
    if (hasPassword && waiting === 0) return void go();
    setAsks(true);
  }

  function cancel() {
    setAsks(false);
    requestAnimationFrame(() => first.current?.focus());
  }

  return (
    <>
      {asks && (
        <div
          role="alert"
          className="mb-3 space-y-2 rounded-lg bg-warn-soft px-3 py-2 text-sm text-warn"
        >
          {!hasPassword && <p>{lazyText.settings.noWayBack}</p>}
          {waiting > 0 && <p>{lazyText.settings.unsent(waiting)}</p>}
        </div>
      )}
      {refusal !== null && (
        <p role="alert" className="mb-3 text-sm text-bad">
          {refusal}
        </p>
      )}
      {asks ? (
        <div className="flex flex-wrap gap-2">
          <button
            type="button"
            // The button that was pressed is gone; this is the harmless one.
            ref={focused}
            className="button-quiet grow"
            onClick={cancel}
            data-testid={`${name}-cancel`}
          >
            {lazyText.settings.cancel}
          </button>
          <button
            type="button"
            className="button-quiet grow text-bad"
            onClick={() => void go()}
            data-testid={`${name}-anyway`}
          >
            {hasPassword ? label : lazyText.settings.logOutAnyway}
          </button>
        </div>
      ) : (
        <button
          ref={first}
          type="button"
          className="button-quiet w-full text-bad"
          onClick={ask}
          data-testid={name}
        >
          {label}
        </button>
      )}
    </>
  );
}
