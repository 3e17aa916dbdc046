import AxeBuilder from "@axe-core/playwright";
import type { Page } from "@playwright/test";
import { expect } from "./fixtures";

const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

const SIZES = {
  desktop: { width: 1100, height: 720 },
  phone: { width: 390, height: 780 },
} as const;

export type Size = keyof typeof SIZES;

export const BOTH: readonly Size[] = ["desktop", "phone"];

/** Nothing is wrong with the page as it is, at these sizes, in light and dark. */
export async function isAccessible(page: Page, sizes: readonly Size[] = BOTH): Promise<void> {
  const before = page.viewportSize();
  for (const size of sizes) {
    await page.setViewportSize(SIZES[size]);
    for (const colorScheme of ["light", "dark"] as const) {
      // Colours on their way from one to another would be measured half-way.
      await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      const { violations } = await new AxeBuilder({ page }).withTags(TAGS).analyze();
      const found = violations.flatMap(({ id, nodes }) =>
        nodes.map(({ html, failureSummary }) => `${id}: ${html}\n${failureSummary}`),
      );
      expect(found, `${size}, ${colorScheme}`).toEqual([]);
    }
  }
  if (before !== null) await page.setViewportSize(before);
}
