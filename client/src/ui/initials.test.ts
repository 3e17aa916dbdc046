import { expect, test } from "vitest";
import { colourOf, initialsOf } from "./initials";

test.each([
  ["Ada Lovelace", "AL"],
  ["ada", "Ad"],
  ["Jean-Luc van Dyck", "JD"],
  ["O'Brien", "OB"],
  ["Bob 42", "B4"],
  ["ßeta", "ße"],
  ["q\u0323uy\u1ec5n", "Q\u0323u"],
  ["李小龍", "李小"],
  ["김 철수", "김철"],
  ["क्षमा शर्मा", "क्षश"],
  ["Ж", "Ж"],
])("%s is %s", (name, initials) => {
  expect(initialsOf(name)).toBe(initials);
});

/** Relative luminance (WCAG 2.2) of a colour in OKLCH that is drawn in sRGB. */
function luminance(colour: string): number {
  const [lightness = 0, chroma = 0, hue = 0] = [...colour.matchAll(/[\d.]+/g)].map(Number);
  const angle = (hue * Math.PI) / 180;
  const [a, b] = [chroma * Math.cos(angle), chroma * Math.sin(angle)];
  const [l, m, s] = [
    lightness + 0.3963377774 * a + 0.2158037573 * b,
    lightness - 0.1055613458 * a - 0.0638541728 * b,
    lightness - 0.0894841775 * a - 1.291485548 * b,
  ].map((root) => root ** 3) as [number, number, number];
  const clip = (part: number) => Math.min(1, Math.max(0, part));
  const red = clip(4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s);
  const green = clip(-1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s);
  const blue = clip(-0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s);
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

test("avatars have many colours, and white is read on each of them", () => {
  const ids = Array.from({ length: 2_000 }, (_, number) => `0199aaaa-0000-7000-8000-${number}`);
  const colours = new Set(ids.map(colourOf));
  expect(colours.size).toBe(48);
  for (const colour of colours) {
    expect(1.05 / (luminance(colour) + 0.05), colour).toBeGreaterThan(4.5);
  }
  expect(colourOf("ada")).toBe(colourOf("ada"));
});
