import { chromium } from "@playwright/test";
import { SUBPROTOCOL } from "../src/sdk/protocol/generated";
import { ARGS, PROGRAM, SANDBOX } from "./chromium";
import { expect, test } from "./fixtures";

test("c08: a page whose name is made to lead here is told nothing", async ({ server }) => {
  const { port } = new URL(server.url);
  const browser = await chromium.launch({
    args: [...ARGS, "--host-resolver-rules=MAP evil.example 127.0.0.1"],
    chromiumSandbox: SANDBOX,
    ...(PROGRAM ? { executablePath: PROGRAM } : {}),
  });
  try {
    const page = await browser.newPage({ locale: "en-GB" });
    const answer = await page.goto(`http://evil.example:${port}/`);
    expect(answer?.status()).toBe(421);
    await expect(page.locator("body")).toContainText("TIDINGS_ORIGINS");
    // Its style is let in by its hash.
    await expect(page.locator("body")).toHaveCSS("display", "grid");
    const told = await page.evaluate(
      async ([port, protocol]) => {
        const asked = ["/", "/api/session", "/api/users", "/readyz", "/metrics", "/worker.js"];
        const answers = asked.map(async (path) => {
          const { status } = await fetch(path).catch(() => ({ status: 0 }));
          return status;
        });
        const logIn = fetch("/api/session", {
          method: "POST",
          headers: { "Content-Type": "application/json" },
          body: '{"name":"Eve"}',
        }).then(({ status }) => status);
        const socket = new Promise((resolve) => {
          const opened = new WebSocket(`ws://evil.example:${port}/api/socket`, protocol);
          opened.onopen = () => resolve("open");
          opened.onerror = () => resolve("refused");
        });
        return [...(await Promise.all(answers)), await logIn.catch(() => 0), await socket];
      },
      [port, SUBPROTOCOL] as const,
    );
    // The policy of the page itself lets it ask nothing: nor would the server answer.
    expect(told).toEqual([0, 0, 0, 0, 0, 0, 0, "refused"]);
    const direct = await page.context().request.get(`${server.url}/api/session`, {
      headers: { Host: `evil.example:${port}` },
    });
    expect(direct.status()).toBe(421);
  } finally {
    await browser.close();
  }
});

test("an unknown address is a page that leads back, in the reader's language", async ({
  stranger,
}) => {
  for (const [locale, title] of [
    ["en-GB", "Page not found"],
    ["de-DE", "Seite nicht gefunden"],
  ] as const) {
    const { page } = await stranger("Ada", { locale });
    const answer = await page.goto("/c/none");
    expect(answer?.status()).toBe(404);
    await expect(page.getByRole("heading")).toHaveText(title);
    await page.getByRole("link").click();
    await expect(page.getByTestId("login-name")).toBeVisible();
  }
});

test("a newcomer's console stays empty", async ({ stranger }) => {
  const { page } = await stranger("Ada");
  // What the first page asks for must not be cut off by the second.
  await page.waitForLoadState("networkidle");
  const said: string[] = [];
  page.on("console", (message) => said.push(message.text()));
  page.on("requestfailed", (request) => said.push(`failed: ${request.url()}`));
  page.on("response", (response) => {
    if (response.status() >= 400) said.push(`${response.status()}: ${response.url()}`);
  });
  await page.goto("/");
  await expect(page.getByTestId("login-name")).toBeVisible();
  await page.waitForLoadState("networkidle");
  expect(said).toEqual([]);
});

test("no text becomes a script or markup, but the worker's own address", async ({ person }) => {
  const { page } = await person("Ada", { breaks: true });
  await page.evaluate(() => navigator.serviceWorker.ready);
  const refused = await page.evaluate(() => {
    const name = (work: () => void) => {
      try {
        work();
        return "allowed";
      } catch (error) {
        return (error as Error).name;
      }
    };
    const factory = (
      window as unknown as { trustedTypes: { createPolicy(name: string, rules: object): void } }
    ).trustedTypes;
    return [
      name(() => {
        document.createElement("div").innerHTML = "<b>x</b>";
      }),
      name(() => {
        document.createElement("script").src = "/worker.js";
      }),
      name(() => factory.createPolicy("other", { createHTML: (text: string) => text })),
      name(() =>
        factory.createPolicy("tidings-worker", { createScriptURL: (text: string) => text }),
      ),
    ];
  });
  expect(refused).toEqual(["TypeError", "TypeError", "TypeError", "TypeError"]);
});
