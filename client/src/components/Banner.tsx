import { type ReactNode, useEffect, useState, useSyncExternalStore } from "react";
import type { Ending } from "../sdk/engine/reconnect";
import { useCommands, useSelect } from "./use-app";
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
      <Strip text={`${ENDED[ending]} Your messages are kept.`}>
        <StripButton onClick={() => commands.reconnect()} name="reconnect">
          Connect again
        </StripButton>
      </Strip>
    );
  }
  if (!lost) return null;
  return online ? (
    <Strip text="Reconnecting…">
      <ConnectNow />
    </Strip>
  ) : (
    <Strip text="Offline — your messages are kept" />
  );
}

/** Says that it was heard until the attempt that it leads to is over. */
function ConnectNow() {
  const commands = useCommands();
  const attempting = useSelect((state) => state.link === "connecting");
  const [asked, setAsked] = useState(false);
  useEffect(() => {
    const over = () => setAsked(false);
    return attempting ? over : undefined;
  }, [attempting]);

  function connect() {
    setAsked(true);
    commands.hurry();
  }

  return (
    <StripButton onClick={connect} disabled={asked} name="connect-now">
      {asked ? "Connecting…" : "Connect now"}
    </StripButton>
  );
}

interface StripProps {
  readonly text: string;
  readonly children?: ReactNode;
}

function Strip({ text, children }: StripProps) {
  return (
    <div
      role="status"
      className="border-b border-line bg-warn-soft px-4 py-1.5 text-center text-sm text-warn"
    >
      <span data-testid="banner">{text}</span> {children}
    </div>
  );
}

interface StripButtonProps {
  readonly name: string;
  readonly onClick: () => void;
  readonly disabled?: boolean;
  readonly children: string;
}

function StripButton({ name, onClick, disabled = false, children }: StripButtonProps) {
  return (
    <button
      type="button"
      className="ml-1 font-semibold underline"
      onClick={onClick}
      disabled={disabled}
      data-testid={name}
    >
      {children}
    </button>
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
