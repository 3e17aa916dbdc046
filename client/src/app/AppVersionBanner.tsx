import { text } from "../i18n/i18n";
import { loadNewVersion, useAppVersion } from "../platform/app-version";

/** Says that a newer version is ready, or that a part of this one is gone; a reload fixes both. */
export function AppVersionBanner() {
  const version = useAppVersion();
  if (version === "current") return null;
  return (
    <div role="status" className="notice bg-raised" data-testid="edition">
      {text.appVersion[version]}
      <button
        type="button"
        className="ml-2 font-semibold text-accent underline"
        onClick={loadNewVersion}
        data-testid="edition-reload"
      >
        {text.appVersion.reload}
      </button>
    </div>
  );
}
