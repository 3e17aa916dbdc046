import type { Page } from "@playwright/test";
import { expect, type Person, test } from "./fixtures";
import { gate } from "./gate";
import { sendAll } from "./raw";

const READ = 20;
/** More than are loaded with the list of conversations. */
const UNREAD = 150;
const ALL = READ + UNREAD;
/** More than a few pages. */
const FAR_UNREAD = 350;

const texts = (from: number, to: number) =>
  Array.from(
    { length: to - from + 1 },
    (_, n) => `Message ${from + n}${" and more".repeat(n % 9)}`,
  );

const line = (view: Person, seq: number) => view.page.locator(`[data-seq="${seq}"]`);

/** Bob has read the first messages, and none of the many that came then. */
async function catchUp(ada: Person, bob: Person, unread: number): Promise<void> {
  await ada.talkWith(bob);
  await sendAll(ada.page, texts(1, READ));
  await bob.conversationRow(ada).click();
  await expect(line(bob, 1)).toBeInViewport();
  await bob.page.getByTestId("jump-to-latest").click();
  await expect(line(bob, READ)).toBeInViewport();
  await expect(bob.unread(ada)).toHaveCount(0);
  await bob.leaveConversation();
  await sendAll(ada.page, texts(READ + 1, READ + unread));
  await expect(bob.unread(ada)).toHaveText(unread > 99 ? "99+" : `${unread}`);
}

/** As long as it takes to draw so many frames. */
function framesOf(page: Page, count: number): Promise<void> {
  return page.evaluate(async (count) => {
    const frame = () => new Promise((drawn) => requestAnimationFrame(drawn));
    for (let drawn = 0; drawn < count; drawn += 1) await frame();
  }, count);
}

/** The number of the last message whose end is in view. */
function lastInView(view: Person): Promise<number> {
  return view.page.evaluate(() => {
    const list = document.querySelector('[role="log"]')?.getBoundingClientRect();
    const ends = [...document.querySelectorAll<HTMLElement>("[data-end]")];
    const seen = ends.filter((end) => end.getBoundingClientRect().bottom <= (list?.bottom ?? 0));
    return Math.max(...seen.map((end) => Number(end.dataset.end)));
  });
}

/** The number up to which the server knows that somebody has read, in their only conversation. */
function readBy(view: Person): Promise<number> {
  return view.page.evaluate(async (name) => {
    const { conversations } = await (await fetch("/api/conversations")).json();
    const own = conversations[0].members.find(
      ({ user }: { user: { name: string } }) => user.name === name,
    );
    return own.read;
  }, view.name);
}

/** Exactly what is in view, and all before it, counts as read; answers how far that is. */
async function readsInView(bob: Person, ada: Person, all: number): Promise<number> {
  let last = 0;
  await expect(async () => {
    last = await lastInView(bob);
    await expect(bob.unread(ada)).toHaveText(`${all - last}`, { timeout: 1 });
    await expect(bob.page).toHaveTitle(`(${all - last}) ${ada.name} – Tidings`, { timeout: 1 });
  }).toPass();
  return last;
}

test("a conversation opens where the unread messages begin", async ({ person }) => {
  const [ada, bob] = [await person("Ada"), await person("Bob")];
  const unread = 80;
  const all = READ + unread;
  await catchUp(ada, bob, unread);
  await bob.conversationRow(ada).click();
  await expect(bob.page.getByTestId("new-messages")).toBeInViewport();
  await expect(line(bob, READ + 1)).toBeInViewport({ ratio: 1 });
  // Something of what was read before is there, too.
  await expect(line(bob, READ)).toBeInViewport();
  const first = await readsInView(bob, ada, all);
  await expect(line(ada, all)).toHaveAttribute("data-state", "delivered");

  await bob.page.getByRole("log").hover();
  await bob.page.mouse.wheel(0, 1_500);
  await expect(line(bob, READ + 1)).not.toBeInViewport();
  const further = await readsInView(bob, ada, all);
  expect(further).toBeGreaterThan(first);
  expect(further).toBeLessThan(all);
  const jump = bob.page.getByTestId("jump-to-latest");
  await expect(jump).toHaveText(`${all - further} new`);

  // Going back takes nothing back.
  await bob.page.mouse.wheel(0, -1_500);
  await expect(line(bob, READ + 1)).toBeInViewport();
  await expect(jump).toHaveText(`${all - further} new`);

  await bob.page.getByTestId("jump-to-latest").click();
  await expect(line(bob, all)).toBeInViewport({ ratio: 1 });
  await expect(bob.unread(ada)).toHaveCount(0);
  await expect(bob.page).toHaveTitle(`${ada.name} – Tidings`);
  await expect(line(ada, all)).toHaveAttribute("data-state", "read");
});

test("more unread messages than are at hand are fetched first", async ({ person }) => {
  const [ada, bob] = [await person("Ada"), await person("Bob")];
  await catchUp(ada, bob, UNREAD);
  // With the page goes what it held.
  await bob.page.reload();
  await bob.isIn();
  await expect(bob.unread(ada)).toHaveText("99+");
  await bob.conversationRow(ada).click();
  await expect(bob.page.getByTestId("new-messages")).toBeInViewport();
  await expect(line(bob, READ + 1)).toBeInViewport({ ratio: 1 });
  await expect(bob.unread(ada)).toHaveText("99+");
  await expect(line(ada, ALL)).toHaveAttribute("data-state", "delivered");
  await bob.page.getByTestId("jump-to-latest").click();
  await expect(line(ada, ALL)).toHaveAttribute("data-state", "read");
});

test("far more unread messages open where they begin, and only what was in view is read", async ({
  person,
}) => {
  const [ada, bob] = [await person("Ada"), await person("Bob")];
  const all = READ + FAR_UNREAD;
  await catchUp(ada, bob, FAR_UNREAD);
  // With the page goes what it held.
  await bob.page.reload();
  await bob.isIn();
  await expect(bob.unread(ada)).toHaveText("99+");
  const pages: string[] = [];
  bob.page.on("request", (request) => {
    if (request.url().includes("/messages?")) pages.push(request.url());
  });
  await bob.conversationRow(ada).click();
  await expect(bob.page.getByTestId("new-messages")).toBeInViewport();
  await expect(line(bob, READ + 1)).toBeInViewport({ ratio: 1 });
  expect(pages.filter((page) => page.includes("around"))).toHaveLength(1);
  await expect(async () => expect(await readBy(bob)).toBe(await lastInView(bob))).toPass();
  await expect(bob.unread(ada)).toHaveText("99+");

  // On the way down everything is in view once.
  await bob.page.getByRole("log").hover();
  const half = READ + FAR_UNREAD / 2;
  while ((await lastInView(bob)) < half) await bob.page.mouse.wheel(0, 1_000);
  await expect(async () => expect(await readBy(bob)).toBe(await lastInView(bob))).toPass();
  expect(await readBy(bob)).toBeLessThan(all);
  while ((await lastInView(bob)) < all) await bob.page.mouse.wheel(0, 1_000);
  await expect(bob.unread(ada)).toHaveCount(0);
  await expect(line(ada, all)).toHaveAttribute("data-state", "read");
  await ada.say("One more");
  await expect(bob.message("One more")).toBeInViewport({ ratio: 1 });
});

test("history that comes in late moves nothing of what is new", async ({ person }) => {
  const [ada, bob] = [await person("Ada"), await person("Bob")];
  await catchUp(ada, bob, UNREAD);
  await expect(bob.conversationRow(ada)).toContainText(`Message ${ALL}`);
  // So many are kept that what is new begins with the first of them.
  await bob.page.reload();
  await bob.isIn();
  const history = gate();
  await bob.page.route(/messages\?before=/, async (route) => {
    await history.opened;
    await route.continue();
  });
  await bob.conversationRow(ada).click();
  await expect(line(bob, READ + 1)).toBeInViewport({ ratio: 1 });
  await expect(line(bob, READ)).toHaveCount(0);
  await framesOf(bob.page, 30);
  history.open();
  await expect(line(bob, READ)).toBeInViewport();
  await framesOf(bob.page, 30);
  await expect(line(bob, READ)).toBeInViewport();
  await expect(line(bob, READ + 1)).toBeInViewport({ ratio: 1 });
});

for (const held of [3, 40]) {
  test(`what comes in late does not lead past what is new, with ${held} of it at hand`, async ({
    person,
  }) => {
    const [ada, bob] = [await person("Ada"), await person("Bob")];
    await catchUp(ada, bob, held);
    await expect(bob.conversationRow(ada)).toContainText(`Message ${READ + held}`);
    await bob.page.goto("about:blank");
    await sendAll(ada.page, texts(READ + held + 1, READ + 80));
    const caughtUp = gate();
    await bob.page.routeWebSocket(/api\/socket$/, (socket) => {
      const server = socket.connectToServer();
      server.onMessage((frame) => void caughtUp.opened.then(() => socket.send(frame)));
    });
    await bob.page.goto(bob.home);
    await bob.conversationRow(ada).click();
    // The list is at hand, and not where it opens yet.
    caughtUp.open();
    await readsInView(bob, ada, READ + 80);
    await expect(line(bob, READ + 1)).toBeInViewport({ ratio: 1 });
  });
}

test("a page that loads with the conversation in front opens there, too", async ({ person }) => {
  const [ada, bob] = [await person("Ada"), await person("Bob")];
  await bob.talkWith(ada);
  const address = bob.page.url();
  await bob.leaveConversation();
  await catchUp(ada, bob, UNREAD);
  await bob.page.goto("about:blank");
  await bob.page.goto(address);
  await expect(line(bob, READ + 1)).toBeInViewport({ ratio: 1 });
  await expect(bob.unread(ada)).toHaveText("99+");
  await expect(line(bob, ALL)).toHaveCount(0);
});

test("what comes in below does not move the reader of what is new", async ({ person }) => {
  const [ada, bob] = [await person("Ada"), await person("Bob")];
  await catchUp(ada, bob, 60);
  await bob.conversationRow(ada).click();
  await expect(line(bob, READ + 1)).toBeInViewport({ ratio: 1 });
  const last = await readsInView(bob, ada, READ + 60);
  await ada.say("One more");
  await expect(bob.unread(ada)).toHaveText(`${READ + 61 - last}`);
  expect(await readsInView(bob, ada, READ + 61)).toBe(last);
  await expect(line(bob, READ + 1)).toBeInViewport({ ratio: 1 });
});
