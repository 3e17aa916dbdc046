import { lazyText } from "../../i18n/i18n";
import { Dialog } from "../../ui/Dialog";
import { AppearanceSetting } from "./AppearanceSetting";
import { InstallSetting } from "./InstallSetting";
import { LogOutSetting } from "./LogOutSetting";
import { NotificationSetting } from "./NotificationSetting";
import { PasswordSetting } from "./PasswordSetting";
import { SessionsSetting } from "./SessionsSetting";
import { VisibilitySetting } from "./VisibilitySetting";

/** The settings dialog, with a section for each setting. */
export function Settings({ onClose }: { readonly onClose: () => void }) {
  return (
    <Dialog title={lazyText.settings.title} onClose={onClose}>
      <div className="divide-y divide-line px-5">
        <AppearanceSetting />
        <VisibilitySetting />
        <NotificationSetting />
        <InstallSetting />
        <PasswordSetting />
        <SessionsSetting />
        <LogOutSetting />
      </div>
    </Dialog>
  );
}
