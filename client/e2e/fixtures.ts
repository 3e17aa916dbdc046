import {
  type BrowserContext,
  type BrowserContextOptions,
  test as base,
  expect,
} from "@playwright/test";
import { Cable } from "./cable";
import { Chromium } from "./chromium";
import { observe } from "./observed";
import { Person } from "./person";
import { Server, type Settings } from "./server";

export { expect, type Person };

/** What somebody's browser is like, and which server they use instead of the common one. */
interface Wishes extends BrowserContextOptions {
  on?: { readonly url: string };
  /** Their name as it is, on a server where nobody else has it. */
  plain?: boolean;
  /** The window of a Chromium of their own, instead of a fresh one. */
  at?: BrowserContext;
  /** The test itself breaks the policy of their pages, to see it hold. */
  breaks?: boolean;
}

interface Fixtures {
  /** Somebody who has logged in, by a name that only this test has. */
  person: (name: string, wishes?: Wishes) => Promise<Person>;
  /** A browser without a session. */
  stranger: (name: string, wishes?: Wishes) => Promise<Person>;
  /** Another Chromium, with what tests are otherwise spared. */
  ownChromium: () => Promise<Chromium>;
  /** To the common server, to be cut. */
  cable: Cable;
  /** A server for this test alone, that it may kill. */
  ownServer: (settings?: Settings) => Promise<Server>;
}

export const test = base.extend<Fixtures, { server: Server }>({
  server: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright reads what is needed from the pattern.
    async ({}, use) => {
      const server = await Server.start({ TIDINGS_SENDS_PER_SECOND: "0" });
      await use(server);
      await server.remove();
    },
    { scope: "worker" },
  ],

  // biome-ignore lint/correctness/noEmptyPattern: as above.
  ownServer: async ({}, use) => {
    const servers: Server[] = [];
    await use(async (settings) => {
      const server = await Server.start(settings);
      servers.push(server);
      return server;
    });
    for (const server of servers) await server.remove();
  },

  // biome-ignore lint/correctness/noEmptyPattern: as above.
  ownChromium: async ({}, use) => {
    const all: Chromium[] = [];
    await use(async () => {
      const chromium = await Chromium.install();
      all.push(chromium);
      return chromium;
    });
    for (const chromium of all) await chromium.remove();
  },

  cable: async ({ server }, use) => {
    const cable = await Cable.to(server);
    await use(cable);
    cable.close();
  },

  stranger: async ({ browser, server, ownServer: _closedAfterPages }, use, info) => {
    const contexts: BrowserContext[] = [];
    const problems: string[] = [];
    const suffix = info.testId.slice(-4) + info.repeatEachIndex;
    await use(async (name, wishes = {}) => {
      const { on = server, plain = false, at, breaks = false, ...options } = wishes;
      const context = at ?? (await browser.newContext({ baseURL: on.url, ...options }));
      if (at === undefined) contexts.push(context);
      await context.addInitScript(observe);
      if (!breaks) watch(context, problems);
      const page = await context.newPage();
      return new Person(plain ? name : `${name} ${suffix}`, context, page, on.url);
    });
    for (const context of contexts) await context.close();
    expect(problems, "exceptions and breaches of the page's policy").toEqual([]);
  },

  person: async ({ stranger }, use) => {
    await use(async (name, wishes) => {
      const person = await stranger(name, wishes);
      await person.logIn();
      return person;
    });
  },
});

/** Notes what no page may ever do. Requests that fail are part of some tests. */
function watch(context: BrowserContext, problems: string[]): void {
  context.on("weberror", (error) => problems.push(error.error().message));
  context.on("console", (message) => {
    const refused = /Content.Security.Policy|Trusted(Script|HTML)|TrustedType/i.test(
      message.text(),
    );
    if (refused) problems.push(message.text());
  });
}
