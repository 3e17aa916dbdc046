import { type FormEvent, useEffect, useRef, useState } from "react";
import { turnOffNotifications, turnOnNotifications, useNotifying } from "../notify/permission";
import { clearDrafts } from "../platform/kept";
import { selectMe } from "../sdk/store/selectors";
import { text } from "../text/text";
import { CloseIcon } from "./Icons";
import { useCommands, useSelect } from "./use-app";

/** Password, notifications, the way out. */
export function Settings({ onClose }: { readonly onClose: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog
      ref={dialog}
      onClose={onClose}
      aria-labelledby="settings-title"
      className="m-auto w-[min(26rem,calc(100vw-2rem))] rounded-2xl border border-line bg-surface p-0 text-ink shadow-xl backdrop:bg-black/40"
    >
      <header className="flex items-center justify-between border-b border-line px-5 py-3">
        <h2 id="settings-title" className="text-lg font-semibold">
          {text.settings.title}
        </h2>
        <button
          type="button"
          className="rounded-lg p-2 text-soft hover:bg-raised hover:text-ink"
          onClick={() => dialog.current?.close()}
          aria-label={text.settings.close}
        >
          <CloseIcon />
        </button>
      </header>
      <div className="divide-y divide-line px-5">
        <NotificationSetting />
        <PasswordSetting />
        <LogOut />
      </div>
    </dialog>
  );
}

function NotificationSetting() {
  const notifying = useNotifying();
  const on = notifying === "on";
  const fixed = notifying === "blocked" || notifying === "unsupported";
  return (
    <section className="py-4">
      <label className="flex items-center justify-between gap-4 font-medium">
        {text.notifications.title}
        <input
          type="checkbox"
          className="size-5 accent-accent"
          checked={on}
          disabled={fixed}
          onChange={() => (on ? turnOffNotifications() : void turnOnNotifications())}
          data-testid="notifications-switch"
        />
      </label>
      <p className="mt-1 text-sm text-soft">{text.notifications[notifying]}</p>
    </section>
  );
}

function PasswordSetting() {
  const { session } = useCommands();
  const hasPassword = useSelect(
    (state) => state.stage.kind === "active" && state.stage.hasPassword,
  );
  const [current, setCurrent] = useState("");
  const [password, setPassword] = useState("");
  const [refusal, setRefusal] = useState<string | null>(null);
  const [saved, setSaved] = useState(false);

  async function submit(event: FormEvent) {
    event.preventDefault();
    const refused = await session.setPassword(password, hasPassword ? current : undefined);
    setRefusal(refused && text.problem(refused.code, refused.message));
    setSaved(refused === null);
    if (refused !== null) return;
    setCurrent("");
    setPassword("");
  }

  return (
    <section className="py-4">
      <h3 className="font-medium">
        {hasPassword ? text.settings.changePassword : text.settings.setPassword}
      </h3>
      <p className="mt-1 mb-3 text-sm text-soft">{text.settings.whyPassword}</p>
      <form onSubmit={submit} className="space-y-2">
        {hasPassword && (
          <input
            type="password"
            required
            autoComplete="current-password"
            className="field"
            placeholder={text.settings.currentPassword}
            aria-label={text.settings.currentPassword}
            value={current}
            onChange={(event) => setCurrent(event.target.value)}
            data-testid="password-current"
          />
        )}
        <input
          type="password"
          required
          autoComplete="new-password"
          className="field"
          placeholder={text.settings.newPassword}
          aria-label={text.settings.newPassword}
          value={password}
          onChange={(event) => setPassword(event.target.value)}
          data-testid="password-new"
        />
        {refusal !== null && (
          <p role="alert" className="text-sm text-bad" data-testid="password-error">
            {refusal}
          </p>
        )}
        {saved && (
          <p role="status" className="text-sm text-here" data-testid="password-saved">
            {text.settings.saved}
          </p>
        )}
        <button type="submit" className="button-quiet" data-testid="password-submit">
          {text.settings.save}
        </button>
      </form>
    </section>
  );
}

function LogOut() {
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
