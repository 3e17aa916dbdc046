import { lazy, useEffect, useSyncExternalStore } from "react";
import { ConversationView } from "../features/conversation/ConversationView";
import { loadMessageList } from "../features/conversation/use-message-list";
import { NoConversationOpen } from "../features/list/Welcome";
import { text, withLazyTexts } from "../i18n/i18n";
import { useToasting } from "../notifications/toasts";
import { addressOf, type Destination, destination, onAddress } from "../platform/route";
import type { ConversationId, User } from "../sdk/protocol/generated";
import { ErrorBoundary } from "../ui/ErrorBoundary";
import { LazyBoundary } from "../ui/LazyBoundary";
import { useSelect } from "../ui/use-app";
import { AppVersionBanner } from "./AppVersionBanner";
import { Banner } from "./Banner";
import { NotFound } from "./NotFound";
import { Sidebar } from "./Sidebar";
import { Starting } from "./Starting";
import { useFrontFocus } from "./use-front-focus";
import { useKeyboard } from "./use-keyboard";
import { usePanels } from "./use-panels";

/** Loaded only for users who are not logged in. */
const LogIn = lazy(async () => ({
  default: (await withLazyTexts(import("../features/login/LogIn"))).LogIn,
}));
const Toaster = lazy(() => import("../notifications/Toaster"));

/** The root of the page: what is shown depends on who is logged in. */
export function App() {
  const auth = useSelect((state) => state.auth);
  const toasting = useToasting();
  if (location.pathname !== "/") return <NotFound says={text.page.notFound} to="/" />;
  return (
    <>
      {auth.kind === "starting" && <Starting />}
      {auth.kind === "anonymous" && (
        <LazyBoundary fallback={<Starting />}>
          <LogIn loggedOut={auth.loggedOut} />
        </LazyBoundary>
      )}
      {auth.kind === "active" && <Panes me={auth.me} />}
      <LazyBoundary>{toasting && <Toaster />}</LazyBoundary>
    </>
  );
}

/** Shows lists and conversation side by side, or one of them on a phone. */
function Panes({ me }: { readonly me: User }) {
  const open = useSelect((state) => state.open);
  const leads = useSyncExternalStore(onAddress, destination);
  const front = open !== null || leads !== "known";
  const { panel, failed, show } = usePanels(me);
  useKeyboard(show);
  useFrontFocus(open);
  useEffect(() => void loadMessageList(), []);
  return (
    <div className="safe flex h-full flex-col bg-surface">
      <div className="relative flex min-h-0 flex-1">
        <div className={`${front ? "hidden" : "flex"} w-full md:flex md:w-80 lg:w-96`}>
          <Sidebar me={me} onShow={show} />
        </div>
        <main className={`min-w-0 flex-1 bg-page ${front ? "pane" : "sr-only md:not-sr-only"}`}>
          <ErrorBoundary key={open}>
            <Front open={open} leads={leads} me={me} />
          </ErrorBoundary>
        </main>
        <Notices front={front} failed={failed} />
      </div>
      {panel}
    </div>
  );
}

interface NoticesProps {
  /** Whether something covers the lists on a phone. */
  readonly front: boolean;
  /** Whether a part of the page could not be loaded. */
  readonly failed: boolean;
}

/** Notices that appear over the page without moving anything, below the header. */
function Notices({ front, failed }: NoticesProps) {
  const place = front ? "top-17 short:top-13" : "bottom-3 md:top-3 md:bottom-auto";
  return (
    <div
      className={`pointer-events-none absolute inset-x-0 z-20 flex flex-col items-center gap-2 px-3 md:left-80 lg:left-96 ${place}`}
    >
      <AppVersionBanner />
      <Banner />
      {failed && (
        <p role="alert" className="notice bg-bad-soft text-bad">
          {text.page.notLoaded}
        </p>
      )}
    </div>
  );
}

interface FrontProps {
  readonly open: ConversationId | null;
  readonly leads: Destination;
  readonly me: User;
}

/** The open conversation, or what is shown instead. */
function Front({ open, leads, me }: FrontProps) {
  const missing = useSelect((state) => state.missing !== null);
  if (leads === "no page") return <NotFound says={text.page.notFound} to={addressOf(null)} />;
  if (leads === "no conversation" || missing)
    return <NotFound says={text.conversation.missing} to={addressOf(null)} />;
  return open === null ? <NoConversationOpen me={me} /> : <ConversationView id={open} me={me} />;
}
