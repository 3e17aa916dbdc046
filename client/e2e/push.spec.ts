import { expect, test } from "./fixtures";
import { isKept } from "./worker";

declare global {
  interface Window {
    /** The keys that the page subscribed with, and how often it ended that. */
    pushes: { keys: string[]; ended: number };
  }
}

test("who wants notifications is subscribed to pushes, and who does not is not", async ({
  stranger,
}) => {
  const bob = await stranger("Bob", { permissions: ["notifications"] });
  await bob.context.addInitScript(pretendPushService);
  const answered = (method: string) =>
    bob.page.waitForResponse(
      (answer) =>
        answer.url().endsWith("/api/push/subscription") && answer.request().method() === method,
    );
  const subscribed = answered("PUT");
  await bob.logIn();
  expect((await subscribed).status()).toBe(204);
  await isKept(bob.page);
  const { public_key } = await (await bob.context.request.get(`${bob.home}/api/push`)).json();
  const keys = () => bob.page.evaluate(() => window.pushes.keys);
  expect(await keys()).toEqual([public_key]);

  await bob.page.getByTestId("settings-open").click();
  await expect(bob.page.getByText("even when it's closed")).toBeVisible();
  const given = answered("DELETE");
  await bob.page.getByTestId("notifications-switch").click();
  expect((await given).status()).toBe(204);
  await expect(bob.page.getByText("even when it's closed")).toHaveCount(0);

  const again = answered("PUT");
  await bob.page.getByTestId("notifications-switch").click();
  expect((await again).status()).toBe(204);
  expect(await keys()).toHaveLength(2);
  await bob.page.getByTestId("logout").click();
  await bob.page.getByTestId("logout-anyway").click();
  await expect(bob.page.getByTestId("login-name")).toBeVisible();
  await expect.poll(() => bob.page.evaluate(() => window.pushes.ended)).toBe(2);
});

/**
 * Run in the page: the browser's part of a subscription, which asks a push service
 * that no test can reach. What it gives is what a real one gives: the server checks it.
 */
function pretendPushService(): void {
  window.pushes = { keys: [], ended: 0 };
  let held: PushSubscription | null = null;
  const base64url = (bytes: ArrayBuffer | Uint8Array) =>
    btoa(String.fromCharCode(...new Uint8Array(bytes)))
      .replaceAll("+", "-")
      .replaceAll("/", "_")
      .replaceAll("=", "");
  PushManager.prototype.getSubscription = async () => held;
  PushManager.prototype.subscribe = async (options) => {
    const key = String(options?.applicationServerKey);
    window.pushes.keys.push(key);
    const curve = { name: "ECDH", namedCurve: "P-256" };
    const pair = await crypto.subtle.generateKey(curve, true, ["deriveBits"]);
    const p256dh = base64url(await crypto.subtle.exportKey("raw", pair.publicKey));
    const auth = base64url(crypto.getRandomValues(new Uint8Array(16)));
    const endpoint = `https://fcm.googleapis.com/fcm/send/${crypto.randomUUID()}`;
    const bytes = atob(key.replaceAll("-", "+").replaceAll("_", "/"));
    held = {
      options: { applicationServerKey: Uint8Array.from(bytes, (c) => c.charCodeAt(0)).buffer },
      toJSON: () => ({ endpoint, expirationTime: null, keys: { p256dh, auth } }),
      unsubscribe: async () => {
        window.pushes.ended += 1;
        held = null;
        return true;
      },
    } as unknown as PushSubscription;
    return held;
  };
}
