import { type ReactNode, useEffect, useState } from "react";
import { text } from "../i18n/i18n";
import { goToProxyLogin, useProxyLogin } from "../platform/proxy-login";
import { useCommands, useSelect } from "../ui/use-app";
import { useDisconnected, useOnline } from "../ui/use-disconnected";

/** Says that the page is disconnected, if that lasts. */
export function Banner() {
  const commands = useCommands();
  const closeReason = useSelect((state) => state.closeReason);
  const online = useOnline();
  const disconnected = useDisconnected();
  const gate = useProxyLogin();

  if (closeReason !== null && closeReason !== "logged_out") {
    return (
      <Strip says={text.banner[closeReason]}>
        <StripButton onClick={() => commands.reconnect()} name="reconnect">
          {text.banner.connectAgain}
        </StripButton>
      </Strip>
    );
  }
  if (gate) {
    return (
      <Strip says={text.banner.gate}>
        <StripButton onClick={goToProxyLogin} name="gate">
          {text.banner.passGate}
        </StripButton>
      </Strip>
    );
  }
  if (!disconnected) return null;
  return online ? (
    <Strip says={text.banner.reconnecting}>
      <ConnectNow />
    </Strip>
  ) : (
    <Strip says={text.banner.offline} />
  );
}

/** A button to connect; it is disabled until the attempt is over. */
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
    <div role="status" className="notice bg-warn-soft text-warn">
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
