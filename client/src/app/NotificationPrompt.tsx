import { text } from "../i18n/i18n";
import {
  turnOffNotifications,
  turnOnNotifications,
  useNotifying,
} from "../notifications/permission";
import { BellIcon, CloseIcon } from "../ui/Icons";

/** Offers notifications until the user decides; the browser asks only after a click. */
export function NotificationPrompt() {
  if (useNotifying() !== "ask") return null;
  return (
    <div className="flex items-center border-b border-line bg-raised text-sm">
      <button
        type="button"
        className="flex min-w-0 flex-1 items-center gap-2 px-4 py-2 text-left hover:underline"
        onClick={() => void turnOnNotifications()}
        data-testid="notifications-on"
      >
        <BellIcon className="size-4 shrink-0 text-accent" />
        {text.notifications.turnOn}
      </button>
      <button
        type="button"
        className="p-2 pr-4 text-soft hover:text-ink"
        onClick={turnOffNotifications}
        aria-label={text.notifications.none}
      >
        <CloseIcon className="size-4" />
      </button>
    </div>
  );
}
