// Loaded as it is and before anything is drawn, so that a page whose user has chosen dark never
// flashes up light. The rest of the choice is dealt with in `theme.ts`.
try {
  const theme = localStorage.getItem("tidings.theme");
  if (theme !== null) document.documentElement.dataset.theme = theme;
} catch {
  // Storage is switched off: then nothing was chosen.
}
