import { text } from "../../text/text";
import { Dialog } from "../Dialog";
import { AppearanceSetting } from "./AppearanceSetting";
import { InstallSetting } from "./InstallSetting";
import { LogOut } from "./LogOut";
import { NotificationSetting } from "./NotificationSetting";
import { PasswordSetting } from "./PasswordSetting";
import { VisibilitySetting } from "./VisibilitySetting";

/** A section for each thing one can set. */
export function Settings({ onClose }: { readonly onClose: () => void }) {
  return (
    <Dialog title={text.settings.title} onClose={onClose}>
      <div className="divide-y divide-line px-5">
        <AppearanceSetting />
        <VisibilitySetting />
        <NotificationSetting />
        <InstallSetting />
        <PasswordSetting />
        <LogOut />
      </div>
    </Dialog>
  );
}
