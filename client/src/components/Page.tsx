import { Toaster } from "sonner";
import type { User } from "../sdk/protocol/generated";
import { Banner } from "./Banner";
import { Chat } from "./Chat";
import { LogIn } from "./LogIn";
import { Sidebar } from "./Sidebar";
import { useSelect } from "./use-app";

/** The whole page, whatever stage it is at. */
export function Page() {
  const stage = useSelect((state) => state.stage);
  return (
    <>
      {stage.kind === "starting" && <p className="p-6 text-center text-soft">Connecting…</p>}
      {stage.kind === "anonymous" && <LogIn note={stage.note} />}
      {stage.kind === "active" && <Panes me={stage.me} />}
      <Toaster position="top-right" theme="system" />
    </>
  );
}

/** Lists and conversation side by side; on a phone one of them. */
function Panes({ me }: { readonly me: User }) {
  const open = useSelect((state) => state.open);
  return (
    <div className="flex h-full flex-col">
      <Banner />
      <div className="flex min-h-0 flex-1">
        <div className={`${open === null ? "flex" : "hidden"} w-full md:flex md:w-80 lg:w-96`}>
          <Sidebar me={me} />
        </div>
        <main className={`${open === null ? "hidden" : "block"} min-w-0 flex-1 md:block`}>
          {open === null ? <Nothing /> : <Chat id={open} me={me} />}
        </main>
      </div>
    </div>
  );
}

function Nothing() {
  return (
    <div className="flex h-full flex-col items-center justify-center gap-3 p-6 text-center text-soft">
      <img src="/favicon.svg" alt="" className="size-14 opacity-60" />
      <p>Pick somebody who is here, or a conversation.</p>
    </div>
  );
}
