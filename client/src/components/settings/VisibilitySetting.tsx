import { useState } from "react";
import { selectInvisible } from "../../sdk/store/selectors";
import { text } from "../../text/text";
import { useCommands, useSelect } from "../use-app";
import { Switch } from "./Switch";

/** Whether others see that the user is here, on whatever device. */
export function VisibilitySetting() {
  const { session } = useCommands();
  const invisible = useSelect(selectInvisible);
  // What is shown until the server has answered.
  const [asked, setAsked] = useState<boolean | null>(null);
  const [refusal, setRefusal] = useState<string | null>(null);

  async function change(next: boolean) {
    setAsked(next);
    const refused = await session.setVisibility(next);
    setRefusal(refused && text.problem(refused.code, refused.message));
    setAsked(null);
  }

  return (
    <section className="py-4">
      <Switch
        name="invisible-switch"
        label={text.settings.invisible}
        on={asked ?? invisible}
        disabled={asked !== null}
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
