import { text } from "../text/text";
import { useLost } from "./use-lost";

/** What `index.html` shows, and after a while why it is still that. */
export function Starting() {
  const lost = useLost();
  return (
    <main className="splash">
      <img src="/favicon.svg" alt="" width="56" height="56" />
      <p className={lost ? "text-soft" : "sr-only"} data-testid="starting">
        {lost ? text.page.unreachable : text.page.starting}
      </p>
    </main>
  );
}
