import type { Page } from "@playwright/test";
import { expect, type Person, test } from "./fixtures";

declare global {
  interface Window {
    /** The theme that held when there was a body to draw. */
    drawn?: string | undefined;
  }
}

const SURFACE = { light: "#ffffff", dark: "#161b21" } as const;

test("the look follows the device, until one is chosen", async ({ person }) => {
  const ada = await person("Ada", { colorScheme: "light" });
  await looks(ada.page, "light");
  await ada.page.emulateMedia({ colorScheme: "dark" });
  await looks(ada.page, "dark");
  await choose(ada, "light");
  await looks(ada.page, "light");
  await ada.page.emulateMedia({ colorScheme: "light" });
  await choose(ada, "dark");
  await looks(ada.page, "dark");

  const tab = await ada.secondTab();
  await looks(tab.page, "dark");
  await choose(tab, "system");
  await looks(tab.page, "light");
  await looks(ada.page, "light");
});

test("a look that was chosen holds before anything is drawn", async ({ person }) => {
  const ada = await person("Ada", { colorScheme: "light" });
  await choose(ada, "dark");
  await ada.context.addInitScript(() => {
    new MutationObserver((_, observer) => {
      if (document.body === null) return;
      window.drawn = document.documentElement.dataset.theme;
      observer.disconnect();
    }).observe(document, { subtree: true, childList: true });
  });
  await ada.page.reload();
  await ada.isIn();
  expect(await ada.page.evaluate(() => window.drawn)).toBe("dark");
  await looks(ada.page, "dark");
});

async function choose(person: Person, theme: "system" | "light" | "dark"): Promise<void> {
  const { page } = person;
  await page.getByTestId("settings-open").click();
  await page.getByTestId(`theme-${theme}`).check({ force: true });
  await page.keyboard.press("Escape");
  await expect(page.getByRole("dialog")).toHaveCount(0);
}

/** The page is as light or dark as that, and so is the bar that the browser puts above it. */
async function looks(page: Page, theme: "light" | "dark"): Promise<void> {
  await expect
    .poll(() =>
      page.evaluate(() => {
        const brightness = (colour: string) =>
          Math.max(...(colour.match(/\d+/g) ?? []).map(Number).slice(0, 3));
        return brightness(getComputedStyle(document.body).backgroundColor) > 127 ? "light" : "dark";
      }),
    )
    .toBe(theme);
  const bar = await page.evaluate(
    () =>
      [...document.querySelectorAll<HTMLMetaElement>('meta[name="theme-color"]')].find(
        ({ media }) => matchMedia(media).matches,
      )?.content,
  );
  expect(bar).toBe(SURFACE[theme]);
}
