import { useState } from "react";
import { clearDrafts } from "../../platform/kept";
import { selectMe } from "../../sdk/store/selectors";
import { text } from "../../text/text";
import { useCommands, useSelect } from "../use-app";

/** The way out, and what would be lost by it. */
export function LogOut() {
  const { session } = useCommands();
  const me = useSelect(selectMe);
  const hasPassword = useSelect(
    (state) => state.stage.kind === "active" && state.stage.hasPassword,
  );
  const waiting = useSelect((state) => state.outbox.entries.length);
  const [refusal, setRefusal] = useState<string | null>(null);

  async function leave() {
    const refused = await session.logOut();
    if (refused === null && me !== null) clearDrafts(me.id);
    setRefusal(refused && text.problem(refused.code, refused.message));
  }

  return (
    <section className="py-4">
      {!hasPassword && (
        <p className="mb-3 rounded-lg bg-warn-soft px-3 py-2 text-sm text-warn">
          {text.settings.noWayBack}
        </p>
      )}
      {waiting > 0 && (
        <p className="mb-3 rounded-lg bg-warn-soft px-3 py-2 text-sm text-warn">
          {text.settings.unsent(waiting)}
        </p>
      )}
      {refusal !== null && (
        <p role="alert" className="mb-3 text-sm text-bad">
          {refusal}
        </p>
      )}
      <button
        type="button"
        className="button-quiet w-full text-bad"
        onClick={() => void leave()}
        data-testid="logout"
      >
        {text.settings.logOut}
      </button>
    </section>
  );
}
