import { useState } from "react";
import { selectInvisible } from "../../sdk/store/selectors";
import { text } from "../../text/text";
import { useCommands, useSelect } from "../use-app";
import { Switch } from "./Switch";

/** Whether others see that the user is here, on whatever device. */
export function VisibilitySetting() {
  const { session } = useCommands();
  const invisible = useSelect(selectInvisible);
  const [busy, setBusy] = useState(false);
  const [refusal, setRefusal] = useState<string | null>(null);

  async function change(next: boolean) {
    setBusy(true);
    const refused = await session.setVisibility(next);
    setRefusal(refused && text.problem(refused.code, refused.message));
    setBusy(false);
  }

  return (
    <section className="py-4">
      <Switch
        name="invisible-switch"
        label={text.settings.invisible}
        on={invisible}
        disabled={busy}
        change={(next) => void change(next)}
      />
      <p className="mt-1 text-sm text-soft">{text.settings.whatInvisible}</p>
      {refusal !== null && (
        <p role="alert" className="mt-2 text-sm text-bad">
          {refusal}
        </p>
      )}
    </section>
  );
}
