import { useSyncExternalStore } from "react";
import { Listeners } from "../sdk/store/listeners";
import { readTheme, writeTheme } from "./kept";

/** Light or dark; `system`: as the rest of the device. */
export type Theme = "system" | "light" | "dark";

const listeners = new Listeners();

/** Applies what was chosen, here or in another tab, and goes on doing so. */
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

/** For the style sheet, and for the browser's own bars, which take a colour from the page. */
function apply(): void {
  const theme = readTheme();
  const { dataset } = document.documentElement;
  if (theme === "system") delete dataset.theme;
  else dataset.theme = theme;
  for (const meta of document.querySelectorAll<HTMLMetaElement>('meta[name="theme-color"]')) {
    const { light, dark } = meta.dataset;
    // Each is for one look of the device, and has the colours of both.
    const own = meta.media.includes("dark") ? dark : light;
    meta.content = (theme === "system" ? own : meta.dataset[theme]) ?? "";
  }
}
