import { useState } from "react";
import { lazyText } from "../../i18n/i18n";
import {
  notificationPreferencesChanged,
  turnOffNotifications,
  turnOnNotifications,
  useNotifying,
} from "../../notifications/permission";
import { usePushSubscribed } from "../../notifications/push";
import { setShowsText, setWantsSound, showsText, wantsSound } from "../../platform/preferences";
import { Switch } from "./Switch";

/** Sets whether there are notifications, what they show, and whether they play a sound. */
export function NotificationSetting() {
  const notifying = useNotifying();
  const subscribed = usePushSubscribed();
  const on = notifying === "on";
  const fixed = notifying === "blocked" || notifying === "unsupported";
  const [shown, showText] = useState(showsText);
  const [heard, setHeard] = useState(wantsSound);

  function changeText(next: boolean) {
    setShowsText(next);
    showText(next);
    notificationPreferencesChanged();
  }

  function changeSound(next: boolean) {
    setWantsSound(next);
    setHeard(next);
    notificationPreferencesChanged();
  }

  return (
    <section className="space-y-3 py-4">
      <div>
        <Switch
          name="notifications-switch"
          label={lazyText.notifications.title}
          on={on}
          disabled={fixed}
          change={() => (on ? turnOffNotifications() : void turnOnNotifications())}
        />
        <p className="mt-1 text-sm text-soft">
          {on && subscribed ? lazyText.notifications.onAlways : lazyText.notifications[notifying]}
        </p>
      </div>
      {on && (
        <Switch
          name="notifications-text"
          label={lazyText.notifications.showText}
          on={shown}
          change={changeText}
        />
      )}
      <Switch
        name="sound-switch"
        label={lazyText.notifications.sound}
        on={heard}
        change={changeSound}
      />
    </section>
  );
}
