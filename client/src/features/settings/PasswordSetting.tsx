import { type FormEvent, useState } from "react";
import { lazyText, text } from "../../i18n/i18n";
import { useCommands, useSelect } from "../../ui/use-app";

/** Sets the password, for logging in on other devices or again. */
export function PasswordSetting() {
  const { session } = useCommands();
  const hasPassword = useSelect((state) => state.auth.kind === "active" && state.auth.hasPassword);
  const [current, setCurrent] = useState("");
  const [password, setPassword] = useState("");
  const [refusal, setRefusal] = useState<string | null>(null);
  const [saved, setSaved] = useState(false);

  async function submit(event: FormEvent) {
    event.preventDefault();
    const refused = await session.setPassword(password, hasPassword ? current : undefined);
    setRefusal(refused && text.problem(refused.code, refused.message, refused.rule));
    setSaved(refused === null);
    if (refused !== null) return;
    setCurrent("");
    setPassword("");
  }

  return (
    <section className="py-4">
      <h3 className="font-medium">
        {hasPassword ? lazyText.settings.changePassword : lazyText.settings.setPassword}
      </h3>
      <p className="mt-1 mb-3 text-sm text-soft">{lazyText.settings.whyPassword}</p>
      <form onSubmit={submit} className="space-y-2">
        {hasPassword && (
          <PasswordField
            name="password-current"
            autoComplete="current-password"
            label={lazyText.settings.currentPassword}
            value={current}
            change={setCurrent}
          />
        )}
        <PasswordField
          name="password-new"
          autoComplete="new-password"
          label={lazyText.settings.newPassword}
          value={password}
          change={setPassword}
        />
        {refusal !== null && (
          <p role="alert" className="text-sm text-bad" data-testid="password-error">
            {refusal}
          </p>
        )}
        {saved && (
          <p role="status" className="text-sm text-here" data-testid="password-saved">
            {lazyText.settings.saved}
          </p>
        )}
        <button type="submit" className="button-quiet" data-testid="password-submit">
          {lazyText.settings.save}
        </button>
      </form>
    </section>
  );
}

interface FieldProps {
  readonly name: string;
  /** What password managers should offer. */
  readonly autoComplete: "current-password" | "new-password";
  readonly label: string;
  readonly value: string;
  readonly change: (value: string) => void;
}

function PasswordField({ name, autoComplete, label, value, change }: FieldProps) {
  return (
    <input
      type="password"
      required
      autoComplete={autoComplete}
      className="field"
      placeholder={label}
      aria-label={label}
      value={value}
      onChange={(event) => change(event.target.value)}
      data-testid={name}
    />
  );
}
