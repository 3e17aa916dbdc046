import type { Page } from "@playwright/test";
import { expect, type Person, test } from "./fixtures";
import { bannersOf, countBanners, socketOf } from "./observed";
import { talk } from "./person";
import { QUICK_RETURN } from "./server";

const UNSENT = Array.from({ length: 8 }, (_, index) => `Unsent ${index + 1}`);

test("f25: what a killed browser had not sent goes out when it is opened again", async ({
  person,
  stranger,
  ownServer,
  ownChromium,
}) => {
  const on = await ownServer(QUICK_RETURN);
  const chromium = await ownChromium();
  const bob = await person("Bob", { on });
  const first = await person("Ada", { on, at: await chromium.run() });
  await talk(first, bob);
  // A browser writes cookies when it ends, and else after half a minute.
  await chromium.quit();

  const ada = await stranger("Ada", { on, at: await chromium.run() });
  await ada.page.goto(on.url);
  await ada.isIn();
  await ada.conversationRow(bob).click();
  await ada.reads(["Before"]);
  await on.end("SIGKILL");
  for (const text of UNSENT) await ada.say(text);
  await ada.reads(["Before", ...UNSENT]);
  await expect.poll(() => keptBy(ada.page)).toBe(UNSENT.length);
  await chromium.kill();
  await on.run();
  await bob.isConnected();
  await bob.reads(["Before"]);

  const again = await stranger("Ada", { on, at: await chromium.run() });
  await again.page.goto(on.url);
  await again.isIn();
  await bob.reads(["Before", ...UNSENT]);
  await again.conversationRow(bob).click();
  await again.reads(["Before", ...UNSENT]);
  await again.page.reload();
  await again.reads(["Before", ...UNSENT]);
  await bob.page.reload();
  await bob.reads(["Before", ...UNSENT]);
});

/** How many messages wait in the page's storage: a moment after they were written. */
function keptBy(page: Page): Promise<number> {
  return page.evaluate(
    () =>
      new Promise<number>((resolve, reject) => {
        const opened = indexedDB.open("tidings");
        opened.onerror = () => reject(opened.error);
        opened.onsuccess = () => {
          const counted = opened.result.transaction("outbox").objectStore("outbox").count();
          counted.onsuccess = () => {
            opened.result.close();
            resolve(counted.result);
          };
        };
      }),
  );
}

/** What each of two people writes before, while, and after there is no PostgreSQL. */
const PHASES = { before: 2, without: 4, after: 2 };
type Phase = keyof typeof PHASES;

test("f07: PostgreSQL is killed while two people write: all waits, and is stored in order", async ({
  person,
  ownServer,
}) => {
  const on = await ownServer({ TIDINGS_SENDS_PER_SECOND: "0" });
  const people = [await person("Ada", { on }), await person("Bob", { on })] as const;
  const [ada, bob] = people;
  await talk(ada, bob);
  for (const { page } of people) await countBanners(page);
  const sockets = await Promise.all(people.map(({ page }) => socketOf(page)));

  const write = (phase: Phase) =>
    Promise.all(
      people.map(async (writer) => {
        for (const text of lines(writer, phase)) await writer.say(text);
      }),
    );
  await write("before");
  await on.takeDatabase();
  await write("without");
  for (const writer of people) {
    for (const text of lines(writer, "without")) {
      await expect(writer.message(text)).toHaveAttribute("data-state", "pending");
    }
  }
  await on.returnDatabase();
  await write("after");
  for (const writer of people) {
    for (const text of lines(writer, "after")) {
      await expect(writer.message(text)).toHaveAttribute("data-state", "read");
    }
  }

  const texts = await ada.page.getByTestId("body").allTextContents();
  expect(texts).toHaveLength(1 + people.flatMap(all).length);
  for (const writer of people) {
    expect(texts.filter((text) => text.startsWith(writer.name))).toEqual(all(writer));
  }
  for (const [index, reader] of people.entries()) {
    await reader.reads(texts);
    expect(await bannersOf(reader.page)).toBe(0);
    expect(await sockets[index]?.stillTheOne()).toBe(true);
    await reader.page.reload();
    await reader.reads(texts);
  }
});

function lines(writer: Person, phase: Phase): string[] {
  return Array.from({ length: PHASES[phase] }, (_, at) => `${writer.name} ${phase} ${at + 1}`);
}

function all(writer: Person): string[] {
  return (["before", "without", "after"] as const).flatMap((phase) => lines(writer, phase));
}
