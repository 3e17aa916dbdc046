import { lazyText } from "../../i18n/i18n";
import type { Theme } from "../../platform/preferences";
import { chooseTheme, useTheme } from "../../platform/theme";

const THEMES: readonly Theme[] = ["system", "light", "dark"];

/** Light, dark, or as the device is. */
export function AppearanceSetting() {
  const chosen = useTheme();
  return (
    <fieldset className="py-4">
      <legend className="float-left mb-2 w-full font-medium">{lazyText.settings.appearance}</legend>
      <div className="clear-both grid grid-cols-3 gap-1 rounded-xl bg-raised p-1">
        {THEMES.map((theme) => (
          <label
            key={theme}
            className="relative rounded-lg px-2 py-1.5 text-center text-sm text-soft hover:text-ink has-checked:bg-lifted has-checked:font-medium has-checked:text-ink has-checked:shadow-sm has-focus-visible:outline-2 has-focus-visible:outline-accent"
          >
            <input
              type="radio"
              name="theme"
              className="absolute inset-0 cursor-pointer appearance-none"
              checked={theme === chosen}
              onChange={() => chooseTheme(theme)}
              data-testid={`theme-${theme}`}
            />
            {lazyText.settings.themes[theme]}
          </label>
        ))}
      </div>
    </fieldset>
  );
}
