/** The size in pixels: enough to tell whether anything is drawn, and in which colour. */
const SIZE = 2;
const FONTS =
  "'Apple Color Emoji', 'Noto Color Emoji', 'Twemoji Mozilla', 'Segoe UI Emoji', sans-serif";

/**
 * The newest version of Emoji that this machine's font has, of those given with one emoji each.
 * If that cannot be found out, the newest of all.
 */
export function newestDrawn(versions: ReadonlyMap<number, string>): number {
  const sorted = [...versions].sort(([a], [b]) => b - a);
  return (sorted.find(([, emoji]) => isDrawn(emoji)) ?? sorted[0])?.[0] ?? 0;
}

/** Windows draws the letters of a country instead of its flag. */
export function flagsAreDrawn(): boolean {
  return isDrawn("🇪🇺");
}

/** An emoji is one character wide and has its own colours; the replacement of a missing one has ours. */
function isDrawn(emoji: string): boolean {
  const context = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  if (context === null) return false;
  context.font = `${SIZE}px ${FONTS}`;
  context.textBaseline = "middle";
  if (context.measureText(emoji).width >= SIZE * 2) return false;
  const [blue, red] = ["#00f", "#f00"].map((colour) => {
    context.clearRect(0, 0, SIZE, SIZE);
    context.fillStyle = colour;
    context.fillText(emoji, 0, 0);
    return context.getImageData(0, 0, SIZE, SIZE).data.join();
  });
  return blue === red;
}
