import { text } from "../i18n/i18n";
import { useDisconnected } from "../ui/use-disconnected";

/** The splash of `index.html`; after a while it says why it is still there. */
export function Starting() {
  const disconnected = useDisconnected();
  return (
    <main className="splash">
      <img src="/favicon.svg" alt="" width="56" height="56" />
      <p className={disconnected ? "text-soft" : "sr-only"} data-testid="starting">
        {disconnected ? text.page.unreachable : text.page.starting}
      </p>
    </main>
  );
}
