import type { BrowserContext } from "@playwright/test";
import { expect, type Person, test } from "./fixtures";
import { noneInView, notificationsOf, setVisibility } from "./observed";
import { enterName } from "./person";

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

test("b19: the page's policy refuses what got in all the same", async ({ person }) => {
  const ada = await person("Ada", { breaks: true });
  const refused = await ada.page.evaluateHandle(inject);
  await expect
    .poll(() => refused.evaluate((seen) => [...seen].sort()))
    .toEqual([
      "connect-src http://example.org/",
      "frame-src http://example.org",
      "img-src http://example.org/picture.png",
      "script-src-attr inline",
      "script-src-elem blob",
      "script-src-elem data",
      "script-src-elem http://example.org/script.js",
      "script-src-elem inline",
      "style-src-elem inline",
    ]);
  await isHarmless(ada);
  await ada.isConnected();
});

/** Run in the page: does what a hole in it would be used for, and notes what is refused. */
function inject(): Set<string> {
  const refused = new Set<string>();
  document.addEventListener("securitypolicyviolation", ({ effectiveDirective, blockedURI }) => {
    refused.add(`${effectiveDirective} ${blockedURI}`);
  });
  const own = "document.title = 'owned'";
  const add = (tag: string, properties: object) =>
    document.body.append(Object.assign(document.createElement(tag), properties));
  add("script", { text: own });
  add("script", { src: `data:text/javascript,${own}` });
  add("script", { src: URL.createObjectURL(new Blob([own], { type: "text/javascript" })) });
  add("script", { src: "http://example.org/script.js" });
  add("div", { innerHTML: `<img src="/none.png" onerror="${own}"><svg onload="${own}"></svg>` });
  add("iframe", { src: "http://example.org/frame" });
  add("img", { src: "http://example.org/picture.png" });
  add("style", { textContent: "body { visibility: hidden }" });
  const link = Object.assign(document.createElement("a"), { href: `javascript:${own}` });
  link.click();
  fetch("http://example.org/").catch(() => {});
  return refused;
}

/** Nothing that was written has become a part of the page, or has run. */
async function isHarmless({ page }: Person): Promise<void> {
  await expect(page).toHaveTitle(/^(\(\d+\) )?Tidings$/);
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
