// Draws the icons of the installed app from the one in `public/favicon.svg`, with the Chromium
// that the tests use. Run by hand when that picture changes: npm run icons
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { chromium } from "@playwright/test";

const FOLDER = "public";
/** The colour of the bubble, which fills the icons that a device cuts into shape. */
const COLOUR = "#0f766e";

const svg = await readFile(join(FOLDER, "favicon.svg"), "utf8");
/** The marks alone, in the middle: where the bubble is all there is, its edge is not seen. */
const marks = svg.replace("0 0 32 32", "0.4 -2 32 32");
/** In one colour, the marks cut out: only how opaque it is counts. */
const cutOut = svg
  .replace(
    /<path fill="none"/,
    '<mask id="m"><path fill="#fff" d="M0 0h32v32H0z"/><path fill="none"',
  )
  .replace('stroke="#fff"', 'stroke="#000"')
  .replace("</svg>", "</mask></svg>")
  .replace(`fill="${COLOUR}"`, 'fill="#fff" mask="url(#m)"');

/** Name, size in pixels, picture, what is behind it, and the part of the width that it takes. */
const ICONS = [
  ["192", 192, svg, "transparent", 1],
  ["512", 512, svg, "transparent", 1],
  // Devices cut off what is outside of a circle of four fifths of the width.
  ["maskable", 512, marks, COLOUR, 1],
  // iOS puts black behind what is transparent.
  ["apple", 180, marks, COLOUR, 1],
  ["monochrome", 512, cutOut, "transparent", 0.8],
  // In the status bar of Android.
  ["badge", 96, cutOut, "transparent", 1],
];

await mkdir(join(FOLDER, "icons"), { recursive: true });
const browser = await chromium.launch({ executablePath: process.env.TIDINGS_CHROMIUM });
for (const [name, size, picture, behind, part] of ICONS) {
  const page = await browser.newPage({ viewport: { width: size, height: size } });
  const data = `data:image/svg+xml;base64,${Buffer.from(picture).toString("base64")}`;
  const at = `display:block;width:${part * 100}%;margin:${((1 - part) / 2) * 100}%`;
  await page.setContent(
    `<body style="margin:0;background:${behind}"><img src="${data}" style="${at}">`,
  );
  await page.locator("img").evaluate((img) => img.decode());
  await page.screenshot({ path: join(FOLDER, "icons", `${name}.png`), omitBackground: true });
  await page.close();
}
await browser.close();
