import type { Page } from "@playwright/test";
import { expect, type Person, test } from "./fixtures";
import { talk } from "./person";

declare global {
  interface Window {
    /** The theme that held when there was a body to draw. */
    drawn?: string | undefined;
  }
}

/** What it keeps cannot be missing. */
const WITHOUT_WORKER = { serviceWorkers: "block" } as const;

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
  await page.getByTestId(`theme-${theme}`).check();
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

test("nothing moves for those who do not want it", async ({ person }) => {
  const ada = await person("Ada", { reducedMotion: "reduce" });
  const bob = await person("Bob", { reducedMotion: "no-preference" });
  await talk(ada, bob);
  for (const [who, name] of [
    [ada, "none"],
    [bob, "arrive"],
  ] as const) {
    const text = `From ${who.name}`;
    await who.say(text);
    await expect(who.message(text).locator(".arriving")).toHaveCSS("animation-name", name);
  }
});

test("what is on its way has a shape, once it takes long", async ({ person }) => {
  const ada = await person("Ada");
  const list = await hold(ada.page, /\/api\/conversations(\?.*)?$/);
  await ada.page.reload();
  const skeleton = ada.page.getByTestId("conversation-list").locator(".skeleton").first();
  await expect(skeleton).toBeVisible();
  list.release();
  await expect(skeleton).toHaveCount(0);
  await expect(ada.page.getByTestId("conversation-list")).toContainText("No conversations yet.");
});

test("a page that cannot reach its server says so, and goes on by itself", async ({ stranger }) => {
  const { page } = await stranger("Ada", WITHOUT_WORKER);
  await page.route("**/api/session", (route) => route.abort());
  await page.goto("/");
  await expect(page.getByTestId("starting")).toHaveText(/Can't reach the server/);
  await page.unroute("**/api/session");
  await expect(page.getByTestId("login-name")).toBeVisible();
});

test("a page without its script says so in the reader's language", async ({ stranger }) => {
  for (const [locale, words] of [
    ["en-GB", "Tidings couldn't be loaded. Reload"],
    ["de-DE", "Tidings konnte nicht geladen werden. Neu laden"],
  ] as const) {
    const { page } = await stranger("Ada", { ...WITHOUT_WORKER, locale });
    const script = /assets\/page-.*\.js/;
    await page.route(script, (route) => route.abort());
    await page.goto("/");
    await expect(page.locator(".broken:visible")).toHaveText(words);
    await page.unroute(script);
    await page.locator(".broken:visible a").click();
    await expect(page.getByTestId("login-name")).toBeVisible();
  }
});

test("settings that cannot be loaded are opened later", async ({ person }) => {
  const { page } = await person("Ada", WITHOUT_WORKER);
  const script = /assets\/Settings-.*\.js/;
  await page.route(script, (route) => route.abort());
  await page.getByTestId("settings-open").click();
  await expect(page.getByRole("alert")).toContainText("couldn't be loaded");
  await page.unroute(script);
  await page.getByTestId("settings-open").click();
  await expect(page.getByRole("dialog")).toBeVisible();
  await expect(page.getByRole("alert")).toHaveCount(0);
});

test("a mistake in a conversation ends there, and loses nothing", async ({ person }) => {
  const [ada, bob] = [await person("Ada"), await person("Bob")];
  await talk(ada, bob);
  await ada.page.getByTestId("composer").fill("Half a thou");
  await ada.page.evaluate(() => {
    const { createElementNS } = document;
    const refuse = (space: string | null, name: string) => {
      if (name === "article") throw new Error("no messages here");
      return createElementNS.call(document, space, name);
    };
    Object.assign(document, { createElementNS: refuse });
  });
  await bob.say("This cannot be drawn");
  await expect(ada.page.getByTestId("broken")).toBeVisible();
  await expect(ada.page.getByTestId("own-name")).toHaveText(ada.name);
  await ada.page.getByRole("button", { name: "Reload" }).click();
  await expect(ada.message("This cannot be drawn")).toBeVisible();
  await expect(ada.page.getByTestId("composer")).toHaveValue("Half a thou");
});

test("a keyboard laid over the page leaves the composer in view", async ({ person }) => {
  const viewport = { width: 390, height: 780 };
  const [ada, bob] = [await person("Ada", { viewport }), await person("Bob")];
  await ada.talkWith(bob);
  const bottom = async () => {
    const box = await ada.page.getByTestId("composer").boundingBox();
    return box === null ? Number.NaN : box.y + box.height;
  };
  // As Safari has it: the page is as large as before, and less of it is seen.
  const keyboard = (height: number, top: number) =>
    ada.page.evaluate(
      ([height, top]) => {
        const view = window.visualViewport;
        if (view === null) throw new Error("there is no visual viewport");
        Object.defineProperty(view, "height", { value: height, configurable: true });
        Object.defineProperty(view, "offsetTop", { value: top, configurable: true });
        view.dispatchEvent(new Event("resize"));
      },
      [height, top] as const,
    );
  await keyboard(440, 0);
  await expect.poll(bottom).toBeLessThan(440);
  await keyboard(440, 100);
  await expect.poll(bottom).toBeGreaterThan(500);
  expect(await bottom()).toBeLessThan(540);
  await keyboard(780, 0);
  await expect.poll(bottom).toBeGreaterThan(700);
});

/** Keeps requests back until they are released. */
async function hold(page: Page, url: RegExp): Promise<{ release: () => void }> {
  let release = () => {};
  const released = new Promise<void>((done) => {
    release = done;
  });
  await page.route(url, async (route) => {
    await released;
    await route.continue();
  });
  return { release };
}
