import { useEffect, useState } from "react";
import { lazyText, text } from "../../i18n/i18n";
import { dateOf } from "../../i18n/time";
import type { OpenSession } from "../../sdk/protocol/generated";
import { useCommands } from "../../ui/use-app";
import { LogOutButton } from "./LogOutButton";

/** The open sessions of the user, each of which can be ended here. */
export function SessionsSetting() {
  const { session } = useCommands();
  const [sessions, setSessions] = useState<readonly OpenSession[]>([]);
  const [refusal, setRefusal] = useState<string | null>(null);

  useEffect(() => {
    session.sessions().then(setSessions, () => setRefusal(lazyText.sessions.failed));
  }, [session]);

  async function end(id: string) {
    const refused = await session.endSession(id);
    // A session that is not found has ended already.
    const gone = refused === null || refused.code === "not_found";
    if (gone) setSessions((before) => before.filter((one) => one.id !== id));
    setRefusal(gone ? null : text.problem(refused.code, refused.message));
  }

  return (
    <section className="py-4">
      <h3 className="font-medium">{lazyText.sessions.title}</h3>
      <ul className="mt-2 mb-3 space-y-2">
        {sessions.map((one) => (
          <Row key={one.id} session={one} end={() => void end(one.id)} />
        ))}
      </ul>
      {refusal !== null && (
        <p role="alert" className="mb-3 text-sm text-bad">
          {refusal}
        </p>
      )}
      <LogOutButton
        name="logout-everywhere"
        label={lazyText.sessions.everywhere}
        leave={() => session.logOutEverywhere()}
      />
    </section>
  );
}

interface RowProps {
  readonly session: OpenSession;
  readonly end: () => void;
}

function Row({ session, end }: RowProps) {
  const what = lazyText.sessions.named(session.browser, session.system);
  return (
    <li className="flex items-center justify-between gap-3" data-testid="open-session">
      <div className="min-w-0">
        <p className="truncate">{what}</p>
        <p className="text-sm text-soft">
          {lazyText.sessions.times(dateOf(session.last_used), dateOf(session.created.slice(0, 10)))}
        </p>
      </div>
      {session.current ? (
        <span className="shrink-0 text-sm text-here">{lazyText.sessions.current}</span>
      ) : (
        <button
          type="button"
          className="button-quiet shrink-0"
          aria-label={lazyText.sessions.endOf(what)}
          onClick={end}
          data-testid="open-session-end"
        >
          {lazyText.sessions.end}
        </button>
      )}
    </li>
  );
}
