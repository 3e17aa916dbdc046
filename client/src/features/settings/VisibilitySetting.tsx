import { useState } from "react";
import { lazyText, text } from "../../i18n/i18n";
import { selectInvisible } from "../../sdk/store/selectors";
import { useCommands, useSelect } from "../../ui/use-app";
import { Switch } from "./Switch";

/** Sets whether others can see that the user is online, on any device. */
export function VisibilitySetting() {
  const { session } = useCommands();
  const invisible = useSelect(selectInvisible);
  // Shown until the server has answered.
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
        label={lazyText.settings.invisible}
        on={asked ?? invisible}
        disabled={asked !== null}
        change={(next) => void change(next)}
      />
      <p className="mt-1 text-sm text-soft">{lazyText.settings.whatInvisible}</p>
      {refusal !== null && (
        <p role="alert" className="mt-2 text-sm text-bad">
          {refusal}
        </p>
      )}
    </section>
  );
}
