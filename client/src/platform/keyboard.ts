/**
 * Keeps the page above the keyboard of a phone. Most browsers shrink the page when
 * it comes up (`interactive-widget` in `index.html`); Safari lays it over the page,
 * and only tells what is left to see.
 */
export function followKeyboard(): void {
  const view = window.visualViewport;
  if (view === null) return;
  const fit = () => {
    const { style } = document.documentElement;
    // Zooming in shrinks the visible part, too.
    const covered = view.scale === 1 && view.height < window.innerHeight - 1;
    style.setProperty("--seen-height", covered ? `${view.height}px` : null);
    style.setProperty("--seen-top", covered ? `${view.offsetTop}px` : null);
  };
  view.addEventListener("resize", fit);
  view.addEventListener("scroll", fit);
}
