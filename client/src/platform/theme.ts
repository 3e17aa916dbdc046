import { useSyncExternalStore } from "react";
import { Listeners } from "../sdk/store/listeners";
import { readTheme, type Theme, writeTheme } from "./preferences";

const listeners = new Listeners();

/** Applies the chosen theme, and follows changes in this tab and others. */
export function followTheme(): void {
  apply();
  window.addEventListener("storage", changed);
}

export function chooseTheme(theme: Theme): void {
  writeTheme(theme);
  changed();
}

export function useTheme(): Theme {
  return useSyncExternalStore(listeners.add, readTheme);
}

function changed(): void {
  apply();
  listeners.tell();
}

/** Applies the theme to the style sheet, and to the browser's own bars. */
function apply(): void {
  const theme = readTheme();
  const { dataset } = document.documentElement;
  if (theme === "system") delete dataset.theme;
  else dataset.theme = theme;
  for (const meta of document.querySelectorAll<HTMLMetaElement>('meta[name="theme-color"]')) {
    const { light, dark } = meta.dataset;
    // There is an element for each theme of the device, with the colours of both.
    const own = meta.media.includes("dark") ? dark : light;
    meta.content = (theme === "system" ? own : meta.dataset[theme]) ?? "";
  }
}
