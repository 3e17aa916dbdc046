import { lazy } from "react";
import { text, withLazyTexts } from "../../i18n/i18n";
import type { User } from "../../sdk/protocol/generated";
import { LazyBoundary } from "../../ui/LazyBoundary";
import { useSelect } from "../../ui/use-app";
import { usePresenceKnown } from "../../ui/use-disconnected";

/** Loaded only for the first person on a server. */
const InvitePrompt = lazy(async () => ({
  default: (await withLazyTexts(import("./InvitePrompt"))).InvitePrompt,
}));

/** Shown instead of a conversation while none is open. */
export function NoConversationOpen({ me }: { readonly me: User }) {
  const alone = useAlone();
  return (
    <div className="flex h-full flex-col items-center justify-center gap-3 p-6 text-center text-soft">
      <h1 className="sr-only">Tidings</h1>
      <img src="/favicon.svg" alt="" className="size-14 opacity-60" />
      {alone ? (
        // On a phone the list shows this.
        <div className="hidden flex-col items-center gap-3 md:flex">
          <LazyBoundary>
            <InvitePrompt me={me} />
          </LazyBoundary>
        </div>
      ) : (
        <p>{text.page.nothing}</p>
      )}
    </div>
  );
}

/** Shown in the list while there are no conversations; on a phone nothing else is visible. */
export function NoConversations({ me }: { readonly me: User }) {
  const alone = useAlone();
  if (!alone) return text.conversations.none;
  return (
    <>
      <span className="hidden md:inline">{text.conversations.noneYet}</span>
      <span className="flex flex-col items-center gap-3 pt-6 text-center md:hidden">
        <LazyBoundary>
          <InvitePrompt me={me} />
        </LazyBoundary>
      </span>
    </>
  );
}

/** Whether there is nobody to talk to: nobody else is online, and there are no conversations. */
function useAlone(): boolean {
  const known = usePresenceKnown();
  const nobody = useSelect((state) => (state.presence.count ?? 0) <= 1);
  const none = useSelect((state) => state.listed && state.conversations.size === 0);
  return known && nobody && none;
}
