import { expect, test } from "./fixtures";
import { talk } from "./person";
import { sendAll } from "./raw";
import { isKept } from "./worker";

test("a page opens offline, with conversations to read, and takes what is written", async ({
  person,
  cable,
}) => {
  const [ada, bob] = [await person("Ada", { on: cable }), await person("Bob")];
  await talk(ada, bob);
  await bob.say("To be read later");
  await expect(ada.message("To be read later")).toBeVisible();
  await isKept(ada.page);
  await ada.context.setOffline(true);
  cable.cut();
  await ada.page.reload();
  await ada.reads(["Before", "To be read later"]);
  await expect(ada.conversationRow(bob)).toContainText("To be read later");
  await expect(ada.page.getByTestId("own-name")).toHaveText(ada.name);
  await expect(ada.page.getByTestId("banner")).toHaveText(
    "You're offline. Messages will be sent when you reconnect.",
  );
  for (const text of ["One", "Two", "Three"]) await ada.say(text);
  await expect(ada.message("Three")).toHaveAttribute("data-state", "pending");

  // Once more: also what was written then is there, and what a later part of the page is made of.
  await ada.page.reload();
  await ada.reads(["Before", "To be read later", "One", "Two", "Three"]);
  await ada.page.getByTestId("settings-open").click();
  await expect(ada.page.getByRole("dialog")).toBeVisible();
  await ada.page.keyboard.press("Escape");
  await bob.say("Meanwhile");

  cable.mend();
  await ada.context.setOffline(false);
  const texts = ["Before", "To be read later", "Meanwhile", "One", "Two", "Three"];
  await bob.reads(texts);
  await ada.reads(texts);
  await expect(ada.message("Three")).toHaveAttribute("data-state", "read");
});

test("without a network a conversation says that there is more of it, and nothing moves", async ({
  person,
  cable,
}) => {
  const [ada, bob] = [await person("Ada", { on: cable }), await person("Bob")];
  await ada.talkWith(bob);
  await bob.talkWith(ada);
  const texts = Array.from({ length: 200 }, (_, index) => `Message ${index + 1}`);
  await sendAll(bob.page, texts);
  await expect(ada.message("Message 200")).toBeVisible();
  await isKept(ada.page);
  const more = ada.page.getByTestId("older");
  const places = () =>
    Promise.all(
      [
        ada.page.locator("header"),
        ada.page.getByTestId("composer"),
        ada.message("Message 200"),
      ].map((seen) => seen.last().boundingBox()),
    );
  // After many messages at once the list draws and measures their rows for some frames.
  let before = await places();
  await expect(async () => {
    const last = before;
    before = await places();
    expect(before).toEqual(last);
    expect(before).not.toContain(null);
  }).toPass({ intervals: [300], timeout: 20_000 });
  await ada.context.setOffline(true);
  cable.cut();
  await expect(ada.page.getByTestId("banner")).toBeVisible();
  expect(await places()).toEqual(before);
  await expect(more).toHaveCount(0);
  await ada.page.reload();
  await expect(ada.message("Message 200")).toBeVisible();
  await ada.page.getByRole("log").focus();
  // What moves by keys is loaded once the list has the focus.
  await expect(async () => {
    await ada.page.keyboard.press("ArrowUp");
    await expect(ada.page.locator("article:focus")).toHaveCount(1, { timeout: 500 });
  }).toPass({ timeout: 20_000 });
  await ada.page.keyboard.press("Home");
  await expect(more).toBeVisible();
  cable.mend();
  await ada.context.setOffline(false);
  await expect(more).toHaveCount(0);
});

test("a reload shows the conversation before the server has answered", async ({
  person,
  cable,
}) => {
  const [ada, bob] = [await person("Ada", { on: cable }), await person("Bob")];
  await talk(ada, bob);
  await isKept(ada.page);
  cable.cut();
  await ada.page.reload();
  await ada.reads(["Before"]);
  cable.mend();
  await ada.isConnected();
  await ada.reads(["Before"]);
});

test("who comes back begins at the first message that was missed, and has not read the rest", async ({
  person,
}) => {
  const [ada, bob] = [await person("Ada"), await person("Bob")];
  await talk(ada, bob);
  const address = ada.page.url();
  await ada.page.goto("about:blank");
  const lines = Array.from({ length: 60 }, (_, index) => `Missed ${index + 1}`);
  for (const text of lines) await bob.say(text);
  await expect(bob.message("Missed 60")).toHaveAttribute("data-state", "stored");
  await ada.page.goto(address);
  await expect(ada.page.getByTestId("jump-to-latest")).toBeVisible();
  await expect(ada.page.locator('[data-testid="message"][data-seq="2"]')).toBeInViewport();
  const unread = async () => Number(await ada.unread(bob).textContent());
  await expect.poll(unread).toBeGreaterThan(20);
  await expect(bob.message("Missed 60")).toHaveAttribute("data-state", "delivered");
});

test("when the session is over the page says so, and nothing of it is left", async ({ person }) => {
  const [ada, bob] = [await person("Ada"), await person("Bob")];
  await talk(ada, bob);
  const address = ada.page.url();
  await ada.page.goto("about:blank");
  await ada.context.clearCookies();
  await ada.page.goto(address);
  await expect(ada.page.getByText("You've been logged out")).toBeVisible();
  await ada.page.reload();
  await expect(ada.page.getByTestId("login-name")).toBeVisible();
  await expect(ada.page.getByText("Before")).toHaveCount(0);

  // Nor after a log-out, for whoever is next in this browser.
  await bob.page.getByTestId("settings-open").click();
  await bob.page.getByTestId("logout").click();
  await bob.page.getByTestId("logout-anyway").click();
  await expect(bob.page.getByTestId("login-name")).toBeVisible();
  const kept = await bob.page.evaluate(async () => {
    const names = (await indexedDB.databases()).map(({ name }) => name ?? "");
    const counts = names.map(
      (name) =>
        new Promise<number>((done) => {
          indexedDB.open(name).onsuccess = (event) => {
            const database = (event.target as IDBOpenDBRequest).result;
            const stores = [...database.objectStoreNames];
            let sum = 0;
            const transaction = database.transaction(stores);
            for (const store of stores) {
              transaction.objectStore(store).count().onsuccess = (counted) => {
                sum += (counted.target as IDBRequest<number>).result;
              };
            }
            transaction.oncomplete = () => done(sum);
          };
        }),
    );
    return Promise.all(counts);
  });
  expect(kept.every((count) => count === 0)).toBe(true);
});

test("nothing of the API is ever answered by the worker", async ({ person }) => {
  const ada = await person("Ada");
  await isKept(ada.page);
  const kept = await ada.page.evaluate(async () => {
    const names = await caches.keys();
    const all = await Promise.all(names.map(async (name) => (await caches.open(name)).keys()));
    return all.flat().map(({ url }) => new URL(url).pathname);
  });
  expect(kept).toContain("/");
  expect(kept.filter((path) => path.startsWith("/assets/")).length).toBeGreaterThan(4);
  expect(kept.filter((path) => path.startsWith("/api"))).toEqual([]);

  const answered: { path: string; byWorker: boolean }[] = [];
  ada.page.on("response", (response) => {
    answered.push({
      path: new URL(response.url()).pathname,
      byWorker: response.fromServiceWorker(),
    });
  });
  await ada.page.reload();
  await ada.isIn();
  const ofApi = answered.filter(({ path }) => path.startsWith("/api"));
  expect(ofApi.map(({ path }) => path)).toContain("/api/session");
  expect(ofApi.filter(({ byWorker }) => byWorker)).toEqual([]);
  expect(answered).toContainEqual({ path: "/", byWorker: true });
});
