import { lazy, useEffect } from "react";
import { useToasting } from "../notify/toasts";
import type { User } from "../sdk/protocol/generated";
import { text } from "../text/text";
import { Banner } from "./Banner";
import { Boundary } from "./Boundary";
import { Chat } from "./Chat";
import { EditionBanner } from "./EditionBanner";
import { LogIn } from "./LogIn";
import { Part } from "./Part";
import { Sidebar } from "./Sidebar";
import { Starting } from "./Starting";
import { useSelect } from "./use-app";
import { useFrontFocus } from "./use-front-focus";
import { useKeyboard } from "./use-keyboard";
import { loadMessageList } from "./use-message-list";
import { usePanels } from "./use-panels";

const Toaster = lazy(() => import("../notify/Toaster"));

/** The whole page, whatever stage it is at. */
export function Page() {
  const stage = useSelect((state) => state.stage);
  const toasting = useToasting();
  return (
    <>
      {stage.kind === "starting" && <Starting />}
      {stage.kind === "anonymous" && <LogIn loggedOut={stage.loggedOut} />}
      {stage.kind === "active" && <Panes me={stage.me} />}
      <Part>{toasting && <Toaster />}</Part>
    </>
  );
}

/** Lists and conversation side by side; on a phone one of them. */
function Panes({ me }: { readonly me: User }) {
  const open = useSelect((state) => state.open);
  const { panel, failed, show } = usePanels(me);
  useKeyboard(show);
  useFrontFocus(open);
  useEffect(() => void loadMessageList(), []);
  return (
    <div className="safe flex h-full flex-col bg-surface">
      <EditionBanner />
      <Banner />
      {failed && (
        <p role="alert" className="bg-bad-soft px-4 py-2 text-sm text-bad">
          {text.page.notLoaded}
        </p>
      )}
      <div className="flex min-h-0 flex-1">
        <div className={`${open === null ? "flex" : "hidden"} w-full md:flex md:w-80 lg:w-96`}>
          <Sidebar me={me} onShow={show} />
        </div>
        <main
          className={`min-w-0 flex-1 bg-page ${open === null ? "sr-only md:not-sr-only" : "pane"}`}
        >
          <Boundary key={open}>{open === null ? <Nothing /> : <Chat id={open} me={me} />}</Boundary>
        </main>
      </div>
      {panel}
    </div>
  );
}

function Nothing() {
  return (
    <div className="flex h-full flex-col items-center justify-center gap-3 p-6 text-center text-soft">
      <h1 className="sr-only">Tidings</h1>
      <img src="/favicon.svg" alt="" className="size-14 opacity-60" />
      <p>{text.page.nothing}</p>
    </div>
  );
}
