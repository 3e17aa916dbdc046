import { expect, test } from "./fixtures";
import { sendAll } from "./raw";

/** Of 12 kB each: as one page they take longer than a request may stay without an answer. */
const LONG = Array.from({ length: 60 }, (_, n) => `#${n} ${"漢字を書く。".repeat(660)}`);
const BYTES_PER_SECOND = 40_000;

test("long messages come over a slow link, each asked for once", async ({ person, cable }) => {
  test.slow();
  const [ada, bob] = [await person("Ada"), await person("Bob", { on: cable })];
  await ada.talkWith(bob);
  // Where nothing is kept of the conversation, it is loaded over HTTP.
  await bob.page.goto("about:blank");
  await sendAll(ada.page, LONG);
  await bob.page.goto(bob.home);
  await bob.isIn();
  await expect(bob.conversationRow(ada)).toBeVisible();

  const asked: string[] = [];
  const isPage = (url: string) => url.includes("/messages");
  bob.page.on("request", (request) => {
    if (isPage(request.url())) asked.push(request.url());
  });
  cable.slow(BYTES_PER_SECOND);
  await bob.conversationRow(ada).click();
  // The first unread one; the last, which the list has brought, may be drawn before it.
  const first = bob.page.getByTestId("message").filter({ hasText: "#0 " });
  await expect(first).toBeVisible({ timeout: 60_000 });
  // One that is given up is asked for again from the same message on, if in smaller pages.
  // `requestfailed` would not tell: to Chromium, an answer that is read as a stream and kept in
  // no cache is "aborted" at its very end.
  const begun = asked.map((url) => new URL(url).searchParams.get("after"));
  expect(begun).toEqual([...new Set(begun)]);
  expect(begun.length).toBeGreaterThan(0);
});
