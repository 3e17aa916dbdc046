/** Pixels: enough to see whether anything is drawn, and in which colour. */
const SIZE = 2;
const FONTS =
  "'Apple Color Emoji', 'Noto Color Emoji', 'Twemoji Mozilla', 'Segoe UI Emoji', sans-serif";

/**
 * The newest version of Emoji that this machine's font has, of those given with one emoji each.
 * Where nothing can be found out, it is the newest there is.
 */
export function newestDrawn(versions: ReadonlyMap<number, string>): number {
  const sorted = [...versions].sort(([a], [b]) => b - a);
  return (sorted.find(([, emoji]) => isDrawn(emoji)) ?? sorted[0])?.[0] ?? 0;
}

/** Windows shows the letters of a country instead of its flag. */
export function flagsAreDrawn(): boolean {
  return isDrawn("🇪🇺");
}

/** A picture is one sign wide and brings its own colours; what stands for a missing one has ours. */
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
