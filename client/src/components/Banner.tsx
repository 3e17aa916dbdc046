import { type ReactNode, useEffect, useState, useSyncExternalStore } from "react";
import { text } from "../text/text";
import { useCommands, useSelect } from "./use-app";
import { useLost } from "./use-lost";

/** Says that the connection is gone, once that lasts. */
export function Banner() {
  const commands = useCommands();
  const ending = useSelect((state) => state.ending);
  const online = useSyncExternalStore(subscribeOnline, () => navigator.onLine);
  const lost = useLost();

  if (ending !== null && ending !== "logged_out") {
    return (
      <Strip says={text.banner[ending]}>
        <StripButton onClick={() => commands.reconnect()} name="reconnect">
          {text.banner.connectAgain}
        </StripButton>
      </Strip>
    );
  }
  if (!lost) return null;
  return online ? (
    <Strip says={text.banner.reconnecting}>
      <ConnectNow />
    </Strip>
  ) : (
    <Strip says={text.banner.offline} />
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
      {asked ? text.banner.connecting : text.banner.connectNow}
    </StripButton>
  );
}

interface StripProps {
  readonly says: string;
  readonly children?: ReactNode;
}

function Strip({ says, children }: StripProps) {
  return (
    <div
      role="status"
      className="border-b border-line bg-warn-soft px-4 py-1.5 text-center text-sm text-warn"
    >
      <span data-testid="banner">{says}</span> {children}
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
