import { useState } from "react";
import {
  changedWishes,
  turnOffNotifications,
  turnOnNotifications,
  useNotifying,
} from "../../notify/permission";
import { useReached } from "../../notify/push";
import { setShowsText, setWantsSound, showsText, wantsSound } from "../../platform/kept";
import { text } from "../../text/text";
import { Switch } from "./Switch";

/** Whether there are notifications, what they show, and whether they are heard. */
export function NotificationSetting() {
  const notifying = useNotifying();
  const reached = useReached();
  const on = notifying === "on";
  const fixed = notifying === "blocked" || notifying === "unsupported";
  const [shown, showText] = useState(showsText);
  const [heard, setHeard] = useState(wantsSound);

  function changeText(next: boolean) {
    setShowsText(next);
    showText(next);
    changedWishes();
  }

  function changeSound(next: boolean) {
    setWantsSound(next);
    setHeard(next);
    changedWishes();
  }

  return (
    <section className="space-y-3 py-4">
      <div>
        <Switch
          name="notifications-switch"
          label={text.notifications.title}
          on={on}
          disabled={fixed}
          change={() => (on ? turnOffNotifications() : void turnOnNotifications())}
        />
        <p className="mt-1 text-sm text-soft">
          {on && reached ? text.notifications.onAlways : text.notifications[notifying]}
        </p>
      </div>
      {on && (
        <Switch
          name="notifications-text"
          label={text.notifications.showText}
          on={shown}
          change={changeText}
        />
      )}
      <Switch
        name="sound-switch"
        label={text.notifications.sound}
        on={heard}
        change={changeSound}
      />
    </section>
  );
}
