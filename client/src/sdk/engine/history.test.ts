import { describe, expect, test } from "vitest";
import { FakePage, pageWith } from "../testing/fake-page";
import { CONVERSATION, FakeServer, frameOf } from "../testing/fake-server";

describe("going back to a message", () => {
  test("whoever hears of a page may ask for the one before it at once", async () => {
    const server = new FakeServer();
    server.fromBob(350);
    const page = await new FakePage(server).open();
    page.store.subscribe(() => {
      if ((page.log?.base ?? 0) > 0) void page.engine.loadOlder(CONVERSATION);
    });
    void page.engine.loadOlder(CONVERSATION);
    await page.rest();
    expect(page.log?.base).toBe(0);
  });

  /** Says how many pages of history were fetched for `work`. */
  async function pagesFor(page: FakePage, work: () => Promise<void>): Promise<number> {
    const before = page.server.asked.length;
    let done = false;
    void work().then(() => {
      done = true;
    });
    while (!done) await page.rest();
    return page.server.asked.slice(before).filter((name) => name === "history").length;
  }

  async function reading(messages: number): Promise<FakePage> {
    const page = await pageWith(messages);
    page.engine.seen(CONVERSATION, messages);
    await page.rest();
    const next = await new FakePage(page.server).open();
    next.engine.show(CONVERSATION);
    await next.rest();
    return next;
  }

  test("begins again around a far message, and goes on page by page to the end", async () => {
    const page = await reading(100);
    expect(page.log?.base).toBe(99);
    expect(await pagesFor(page, () => page.engine.loadAround(CONVERSATION, 50))).toBe(1);
    expect(page.seqs).toEqual([46, 47, 48, 49, 50, 51, 52, 53, 54, 55]);
    expect(page.log).toMatchObject({ detached: true, known: 100 });
    // The gap behind it is not filled, whatever comes.
    page.server.fromBob(1);
    page.sockets.last.receive(...page.server.log.slice(-1).map(frameOf));
    await page.rest();
    expect(page.seqs.at(-1)).toBe(55);
    expect(page.conversation).toMatchObject({ unread: 1, members: [{ delivered: 101 }, {}] });
    expect(await pagesFor(page, () => page.engine.loadNewer(CONVERSATION))).toBe(1);
    expect(page.seqs.at(-1)).toBe(65);
    for (let pages = 0; pages < 4; pages += 1) await page.engine.loadNewer(CONVERSATION);
    expect(page.log).toMatchObject({ detached: false, end: 101, base: 45 });
    expect(await pagesFor(page, () => page.engine.loadNewer(CONVERSATION))).toBe(0);
  });

  test("begins again at the end, with what came meanwhile", async () => {
    const page = await reading(100);
    await pagesFor(page, () => page.engine.loadAround(CONVERSATION, 50));
    await pagesFor(page, () => page.engine.loadAround(CONVERSATION, null));
    expect(page.log).toMatchObject({ detached: false, base: 90, end: 100 });
  });

  test("shows pins that others change meanwhile", async () => {
    const page = await reading(100);
    await pagesFor(page, () => page.engine.loadAround(CONVERSATION, 50));
    page.sockets.last.receive(frameOf(page.server.pinnedByBob(3, true)));
    expect(page.pins).toEqual([3]);
    await page.rest();
    expect(page.pins).toEqual([3]);
    page.engine.pin(CONVERSATION, 3, false);
    const shown: number[] = [];
    page.store.subscribe(() => void shown.push(page.pins.length));
    await page.rest();
    expect(shown, "it does not come back when it is stored").not.toContain(1);
  });

  test("loads nothing once the conversation is closed", async () => {
    const page = await reading(100);
    page.engine.show(null);
    const pages = await pagesFor(page, () => page.engine.loadAround(CONVERSATION, 1));
    expect(pages).toBe(0);
    expect(page.seqs).toEqual([100]);
  });

  test("waits for the server", async () => {
    const page = await reading(30);
    page.server.reachable = false;
    const work = page.engine.loadAround(CONVERSATION, 15);
    await page.rest();
    expect(page.log?.base).toBe(29);
    page.server.reachable = true;
    expect(await pagesFor(page, () => work)).toBe(1);
    expect(page.seqs[0]).toBe(11);
  });
});
