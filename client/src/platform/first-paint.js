// Loaded as it is and before anything is drawn, so that a page whose user has chosen dark never
// flashes up light. The rest of the choice is dealt with in `theme.ts`.
const root = document.documentElement;
try {
  const theme = localStorage.getItem("tidings.theme");
  if (theme !== null) root.dataset.theme = theme;
} catch {
  // Storage is switched off: then nothing was chosen.
}

// For the texts of `index.html` itself; `i18n.ts` chooses the language of the rest.
if (navigator.language?.startsWith("de")) root.lang = "de";

// A script or a style sheet that cannot be loaded: no other script can be counted on to say so.
window.addEventListener(
  "error",
  ({ target }) => {
    if (target instanceof HTMLScriptElement || target instanceof HTMLLinkElement) {
      root.dataset.broken = "";
    }
  },
  true,
);
