import { lazyText } from "../../i18n/i18n";
import { useCommands } from "../../ui/use-app";
import { LogOutButton } from "./LogOutButton";

/** Logs out of this browser. */
export function LogOutSetting() {
  const { session } = useCommands();
  return (
    <section className="py-4">
      <LogOutButton name="logout" label={lazyText.settings.logOut} leave={() => session.logOut()} />
    </section>
  );
}
