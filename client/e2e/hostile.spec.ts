import type { BrowserContext } from "@playwright/test";
import { expect, type Person, test } from "./fixtures";
import { noneInView, notificationsOf, setVisibility } from "./observed";
import { enterName } from "./person";

declare global {
  interface Window {
    /** What the page's policy has refused. */
    refused: Set<string>;
    trustedTypes?: { createPolicy(name: string, rules: object): unknown };
  }
}

/** What would change the title if it ran. */
const HOSTILE = [
  "<script>document.title = 'owned'</script>",
  '<img src="/none.png" onerror="document.title = \'owned\'">',
  "<svg onload=\"document.title = 'owned'\"></svg>",
  "<iframe srcdoc=\"<script>parent.document.title = 'owned'</script>\"></iframe>",
  "javascript:document.title='owned'",
  "JaVaScRiPt://example.org/%0Adocument.title='owned'",
  "data:text/html,<script>document.title='owned'</script>",
  "blob:null/0 file:///etc/passwd vbscript:x",
];

/** Addresses that can be followed, with something in them that must not become an attribute. */
const LINKS = {
  'https://example.org/"onmouseover="document.title=\'owned\'"': "https://example.org/",
  "http://javascript:alert(1)@example.org/": "http://javascript:alert(1)@example.org/",
  "mailto:ada@example.org?subject=<b>": "mailto:ada@example.org?subject=",
};

const TEXTS = [...HOSTILE, ...Object.keys(LINKS)];

test("b19: markup and addresses that run scripts are shown as text", async ({ person }) => {
  const ada = await person("Ada");
  const bob = await person("Bob", { permissions: ["notifications"] });
  await setVisibility(bob.page, "hidden");
  await noneInView(bob.page);
  await ada.talkWith(bob);
  for (const text of TEXTS) await ada.say(text);
  await expect
    .poll(() => notificationsOf(bob.page))
    .toEqual(TEXTS.map((text) => `${ada.name}: ${text}`));
  await expect(bob.page.getByTestId("toast")).toContainText("mailto:ada@example.org?subject=<b>");
  await setVisibility(bob.page, "visible");
  await bob.conversationRow(ada).click();
  for (const view of [ada, bob]) {
    await view.reads(TEXTS);
    const links = await view.page
      .getByTestId("message")
      .locator("a")
      .evaluateAll((all) => all.map((link) => link.getAttribute("href")));
    expect(links).toEqual(Object.values(LINKS));
    await isHarmless(view);
  }
});

test("b19: a name that is markup is refused, and text where it gets through", async ({
  person,
  stranger,
}) => {
  const eve = await person("Eve");
  const ada = await stranger("Ada", { permissions: ["notifications"] });
  const [, name = ""] = HOSTILE;
  await ada.page.goto("/");
  for (const hostile of HOSTILE) {
    await enterName(ada.page, hostile);
    await expect(ada.page.getByTestId("login-error")).toBeVisible();
    await isHarmless(ada);
  }
  // As from a server that lets any name in.
  await rename(ada.context, eve.name, name);
  await enterName(ada.page, ada.name);
  await ada.isIn();
  const row = ada.page.getByTestId("person").filter({ hasText: name });
  await expect(row).toBeVisible();
  await row.click();
  await expect(ada.page.getByRole("heading", { level: 1 })).toHaveText(name);
  await ada.leaveConversation();
  await setVisibility(ada.page, "hidden");
  await eve.talkWith(ada);
  await eve.say("Who am I?");
  await expect(ada.page.getByTestId("toast")).toContainText(name);
  await expect.poll(() => notificationsOf(ada.page)).toEqual([`${name}: Who am I?`]);
  await expect(ada.page.getByTestId("conversation")).toContainText(name);
  await isHarmless(ada);
});

test("b19: the page's policy refuses what got into its markup all the same", async ({
  person,
  server,
}) => {
  const ada = await person("Ada", { breaks: true, serviceWorkers: "block" });
  await ada.page.addInitScript(() => {
    window.refused = new Set();
    document.addEventListener("securitypolicyviolation", ({ effectiveDirective, blockedURI }) => {
      window.refused.add(`${effectiveDirective} ${blockedURI}`);
    });
  });
  await ada.page.route(`${server.url}/`, async (route) => {
    const response = await route.fetch();
    const body = (await response.text()).replace("</body>", `${MARKUP}</body>`);
    await route.fulfill({ response, body });
  });
  await ada.page.reload();
  await expect
    .poll(() => ada.page.evaluate(() => [...window.refused].sort()))
    .toEqual([
      "frame-src http://example.org",
      "img-src http://example.org/picture.png",
      "script-src-attr inline",
      "script-src-elem data",
      "script-src-elem http://example.org/script.js",
      "script-src-elem inline",
      "style-src-elem inline",
    ]);
  await expect(ada.page).not.toHaveTitle("owned");
});

/** What somebody would write into the page if it had a hole. */
const OWN = "document.title = 'owned'";
const MARKUP = `<script>${OWN}</script>
  <script src="data:text/javascript,${OWN}"></script>
  <script src="http://example.org/script.js"></script>
  <div><img src="/none.png" onerror="${OWN}"><svg onload="${OWN}"></svg></div>
  <iframe src="http://example.org/frame"></iframe>
  <img src="http://example.org/picture.png">
  <style>body { visibility: hidden }</style>`;

test("b19: no script of the page can make a script or markup of a text", async ({ person }) => {
  const ada = await person("Ada", { breaks: true });
  const refused = await ada.page.evaluate(async () => {
    const own = "document.title = 'owned'";
    const sinks: Record<string, () => unknown> = {
      text: () => Object.assign(document.createElement("script"), { text: own }),
      data: () =>
        Object.assign(document.createElement("script"), { src: `data:text/javascript,${own}` }),
      blob: () =>
        Object.assign(document.createElement("script"), {
          src: URL.createObjectURL(new Blob([own], { type: "text/javascript" })),
        }),
      markup: () => {
        document.createElement("div").innerHTML = `<img src="/none.png" onerror="${own}">`;
      },
      handler: () => document.createElement("img").setAttribute("onerror", own),
      policy: () => window.trustedTypes?.createPolicy("another", {}),
    };
    return Object.entries(sinks).flatMap(([name, sink]) => {
      try {
        sink();
        return [];
      } catch (error) {
        return error instanceof TypeError ? [name] : [];
      }
    });
  });
  expect(refused).toEqual(["text", "data", "blob", "markup", "handler", "policy"]);
  const fetched = await ada.page.evaluate(() => fetch("http://example.org/").then(Boolean, String));
  expect(fetched).toMatch(/TypeError/);
  await isHarmless(ada);
  await ada.isConnected();
});

/** Nothing that was written has become a part of the page, or has run. */
async function isHarmless({ page }: Person): Promise<void> {
  await expect(page).toHaveTitle(/^(\(\d+\) )?(.+ – )?Tidings$/);
  const root = page.locator("#root");
  await expect(root.locator("script, iframe, svg[onload], [onerror], [onmouseover]")).toHaveCount(
    0,
  );
  await expect(root.locator('img:not([src="/favicon.svg"])')).toHaveCount(0);
}

/** Gives somebody another name in everything that the server tells a browser. */
async function rename(context: BrowserContext, name: string, other: string): Promise<void> {
  const renamed = (text: string) => text.replaceAll(JSON.stringify(name), JSON.stringify(other));
  await context.route("**/api/**", async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, body: renamed(await response.text()) });
  });
  await context.routeWebSocket(/api\/socket$/, (socket) => {
    const server = socket.connectToServer();
    server.onMessage((frame) => socket.send(renamed(`${frame}`)));
  });
}
