import { install, useInstallable } from "../../platform/install";
import { text } from "../../text/text";

/** Offered where the browser can install the page as an app, and has not yet. */
export function InstallSetting() {
  if (!useInstallable()) return null;
  return (
    <section className="py-4">
      <p className="mb-3 text-sm text-soft">{text.install.why}</p>
      <button
        type="button"
        className="button-quiet"
        onClick={() => void install()}
        data-testid="install"
      >
        {text.install.button}
      </button>
    </section>
  );
}
