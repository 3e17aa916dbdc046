import { useSyncExternalStore } from "react";
import type { Ending } from "../engine/reconnect";
import { useCommands, useSelect } from "../store/hooks";
import { useLost } from "./use-lost";

const ENDED: Record<Exclude<Ending, "logged_out">, string> = {
  fault: "This page was disconnected because something it sent could not be dealt with.",
  too_many: "You have Tidings open in too many places at once. Close another one first.",
  refused: "The server ended this connection.",
};

/** Says that the connection is gone, once that lasts. */
export function Banner() {
  const commands = useCommands();
  const ending = useSelect((state) => state.ending);
  const online = useSyncExternalStore(subscribeOnline, () => navigator.onLine);
  const lost = useLost();

  if (ending !== null && ending !== "logged_out") {
    return (
      <Strip>
        {ENDED[ending]} Your messages are kept.{" "}
        <button
          type="button"
          className="font-semibold underline"
          onClick={() => commands.reconnect()}
          data-testid="reconnect"
        >
          Connect again
        </button>
      </Strip>
    );
  }
  if (!lost) return null;
  return <Strip>{online ? "Reconnecting…" : "Offline — your messages are kept"}</Strip>;
}

function Strip({ children }: { readonly children: React.ReactNode }) {
  return (
    <div
      role="status"
      className="border-b border-line bg-warn-soft px-4 py-1.5 text-center text-sm text-warn"
      data-testid="banner"
    >
      {children}
    </div>
  );
}

function subscribeOnline(listener: () => void): () => void {
  window.addEventListener("online", listener);
  window.addEventListener("offline", listener);
  return () => {
    window.removeEventListener("online", listener);
    window.removeEventListener("offline", listener);
  };
}
