import { turnOffNotifications, turnOnNotifications, useNotifying } from "../../notify/permission";
import { text } from "../../text/text";

/** Whether this browser tells of messages while the page is not in view. */
export function NotificationSetting() {
  const notifying = useNotifying();
  const on = notifying === "on";
  const fixed = notifying === "blocked" || notifying === "unsupported";
  return (
    <section className="py-4">
      <label className="flex items-center justify-between gap-4 font-medium">
        {text.notifications.title}
        <input
          type="checkbox"
          className="size-5 accent-accent"
          checked={on}
          disabled={fixed}
          onChange={() => (on ? turnOffNotifications() : void turnOnNotifications())}
          data-testid="notifications-switch"
        />
      </label>
      <p className="mt-1 text-sm text-soft">{text.notifications[notifying]}</p>
    </section>
  );
}
