import { lazyText } from "../../i18n/i18n";
import { install, useInstallable } from "../../platform/install";

/** Shown if the browser can install the page as an app, and has not yet. */
export function InstallSetting() {
  if (!useInstallable()) return null;
  return (
    <section className="py-4">
      <p className="mb-3 text-sm text-soft">{lazyText.install.why}</p>
      <button
        type="button"
        className="button-quiet"
        onClick={() => void install()}
        data-testid="install"
      >
        {lazyText.install.button}
      </button>
    </section>
  );
}
