import { type FormEvent, lazy, useLayoutEffect, useRef, useState } from "react";
import { lazyText, text } from "../../i18n/i18n";
import { showToast } from "../../notifications/toasts";
import { takesCookies } from "../../platform/browser";
import type { ApiError } from "../../sdk/connection/api";
import type { User } from "../../sdk/protocol/generated";
import { LazyBoundary } from "../../ui/LazyBoundary";
import { useCommands } from "../../ui/use-app";
import { readLeftovers } from "./leftovers";

const LeftoversPrompt = lazy(async () => ({
  default: (await import("./LeftoversPrompt")).LeftoversPrompt,
}));

interface Props {
  /** Whether the server ended the session. */
  readonly loggedOut: boolean;
}

const NEEDS_PASSWORD = new Set(["password_required", "wrong_password"]);

/** The log-in: choose a name. The password is asked for if the name has one. */
export function LogIn({ loggedOut }: Props) {
  const { session } = useCommands();
  const [left] = useState(readLeftovers);
  const [name, setName] = useState(left?.user.name ?? "");
  const [password, setPassword] = useState("");
  const [asksPassword, setAsksPassword] = useState(false);
  const [refusal, setRefusal] = useState<ApiError | null>(null);
  const [busy, setBusy] = useState(false);
  const [cookies, setCookies] = useState(takesCookies);
  const nameField = useRef<HTMLInputElement>(null);
  const passwordField = useRef<HTMLInputElement>(null);

  useLayoutEffect(() => nameField.current?.focus(), []);

  async function submit(event: FormEvent) {
    event.preventDefault();
    if (busy) return;
    const taken = takesCookies();
    setCookies(taken);
    if (!taken) return;
    setBusy(true);
    const answer = await session.logIn(name, asksPassword ? password : undefined);
    setBusy(false);
    if (answer.kind === "already") tellAlready(answer.me);
    setRefusal(answer.kind === "refused" ? answer.error : null);
    if (answer.kind === "refused" && NEEDS_PASSWORD.has(answer.error.code)) {
      setAsksPassword(true);
      requestAnimationFrame(() => passwordField.current?.focus());
    }
  }

  function rename(next: string) {
    setName(next);
    setAsksPassword(false);
    setPassword("");
  }

  return (
    <main className="flex min-h-full items-center justify-center p-4">
      <form
        onSubmit={submit}
        className="w-full max-w-sm rounded-2xl border border-line bg-surface p-6 shadow-sm sm:p-8"
      >
        <img src="/favicon.svg" alt="" className="mb-4 size-12" />
        <h1 className="text-2xl font-semibold">Tidings</h1>
        <p className="mt-1 mb-6 text-soft">{lazyText.logIn.subtitle}</p>
        {loggedOut && refusal === null && (
          <p className="mb-4 rounded-lg bg-warn-soft px-3 py-2 text-sm text-warn">
            {lazyText.logIn.loggedOut}
          </p>
        )}
        {left !== null && (
          <LazyBoundary>
            <LeftoversPrompt />
          </LazyBoundary>
        )}
        <label className="mb-1 block font-medium" htmlFor="name">
          {lazyText.logIn.name}
        </label>
        <input
          id="name"
          ref={nameField}
          required
          autoComplete="username"
          spellCheck={false}
          className="field"
          dir="auto"
          value={name}
          onChange={(event) => rename(event.target.value)}
          aria-describedby="name-rules"
          aria-invalid={refusal?.field === "name"}
          data-testid="login-name"
        />
        <p id="name-rules" className="mt-1 text-sm text-soft">
          {lazyText.logIn.rules}
        </p>
        {asksPassword && (
          <div className="mt-4">
            <label className="mb-1 block font-medium" htmlFor="password">
              {lazyText.logIn.password}
            </label>
            <input
              id="password"
              ref={passwordField}
              type="password"
              required
              autoComplete="current-password"
              className="field"
              value={password}
              onChange={(event) => setPassword(event.target.value)}
              data-testid="login-password"
            />
          </div>
        )}
        {!cookies && (
          <p role="alert" className="mt-4 rounded-lg bg-bad-soft px-3 py-2 text-sm text-bad">
            {lazyText.logIn.noCookies}
          </p>
        )}
        {refusal !== null && (
          <p
            role="alert"
            className={`mt-4 rounded-lg px-3 py-2 text-sm ${
              refusal.code === "password_required"
                ? "bg-warn-soft text-warn"
                : "bg-bad-soft text-bad"
            }`}
            data-testid="login-error"
          >
            {text.problem(refusal.code, refusal.message, refusal.rule)}
          </p>
        )}
        <button
          type="submit"
          className="button-main mt-6 w-full"
          disabled={busy}
          data-testid="login-submit"
        >
          {busy ? lazyText.logIn.busy : lazyText.logIn.submit}
        </button>
      </form>
    </main>
  );
}

function tellAlready(me: User) {
  const already = (
    <p>
      {lazyText.logIn.already(
        <bdi key="name" className="font-semibold">
          {me.name}
        </bdi>,
      )}
    </p>
  );
  showToast((toast) => toast(already));
}
