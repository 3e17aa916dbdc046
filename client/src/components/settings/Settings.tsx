import { useEffect, useRef } from "react";
import { text } from "../../text/text";
import { CloseIcon } from "../Icons";
import { AppearanceSetting } from "./AppearanceSetting";
import { InstallSetting } from "./InstallSetting";
import { LogOut } from "./LogOut";
import { NotificationSetting } from "./NotificationSetting";
import { PasswordSetting } from "./PasswordSetting";
import { VisibilitySetting } from "./VisibilitySetting";

/** A dialog with a section for each thing one can set, loaded when it is opened. */
export default function Settings({ onClose }: { readonly onClose: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog
      ref={dialog}
      onClose={onClose}
      aria-labelledby="settings-title"
      className="m-auto w-[min(26rem,calc(100vw-2rem))] rounded-2xl border border-line bg-surface p-0 text-ink shadow-xl backdrop:bg-black/40"
    >
      <header className="flex items-center justify-between border-b border-line px-5 py-3">
        <h2 id="settings-title" className="text-lg font-semibold">
          {text.settings.title}
        </h2>
        <button
          type="button"
          className="rounded-lg p-2 text-soft hover:bg-raised hover:text-ink"
          onClick={() => dialog.current?.close()}
          aria-label={text.settings.close}
        >
          <CloseIcon />
        </button>
      </header>
      <div className="divide-y divide-line px-5">
        <AppearanceSetting />
        <VisibilitySetting />
        <NotificationSetting />
        <InstallSetting />
        <PasswordSetting />
        <LogOut />
      </div>
    </dialog>
  );
}
