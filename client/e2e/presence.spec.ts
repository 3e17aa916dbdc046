import { expect, test } from "./fixtures";

const GRACE_MS = "300";

test("people appear and leave without a reload", async ({ person, ownServer }) => {
  const on = await ownServer({ TIDINGS_PRESENCE_GRACE_MS: GRACE_MS });
  const ada = await person("Ada", { on });
  const count = ada.page.getByTestId("online-count");
  await expect(count).toHaveText("1");

  const bob = await person("Bob", { on });
  await expect(ada.personRow(bob)).toBeVisible();
  await expect(count).toHaveText("2");
  await ada.talkWith(bob);
  await expect(ada.page.getByTestId("partner-presence")).toHaveText("Online");

  const tab = await bob.secondTab();
  await bob.page.close();
  await expect(tab.personRow(ada)).toBeVisible();
  await expect(tab.page.getByTestId("online-count")).toHaveText("2");
  await expect(ada.standing(bob)).toBeVisible();

  await tab.page.close();
  await expect(ada.standing(bob)).toHaveCount(0);
  await expect(count).toHaveText("1");
  await expect(ada.page.getByTestId("partner-presence")).toHaveText("Last seen just now");
});

test("a page too many knows nobody, and says that it is not connected", async ({
  person,
  ownServer,
}) => {
  const on = await ownServer({ TIDINGS_SOCKETS_PER_USER: "1" });
  const ada = await person("Ada", { on });
  const page = await ada.context.newPage();
  await page.goto("/");
  await expect(page.getByTestId("banner")).toContainText("in too many places");
  await expect(page.getByTestId("own-state")).toHaveText("Not connected");
  await expect(page.getByTestId("online-count")).toHaveText("–");
  await expect(page.getByTestId("people-list")).toHaveText("Connect to see who's online.");

  await ada.page.close();
  await page.getByTestId("reconnect").click();
  await expect(page.getByTestId("own-state")).toHaveText("Online");
  await expect(page.getByTestId("online-count")).toHaveText("1");
  await expect(page.getByTestId("person")).toHaveCount(1);
});

test("while a page loads, unknown is not nobody", async ({ person }) => {
  const ada = await person("Ada");
  await ada.context.addInitScript(() => {
    window.shown = [];
    new MutationObserver(() => {
      for (const name of ["online-count", "people-list", "own-state"]) {
        const text = document.querySelector(`[data-testid="${name}"]`)?.textContent;
        if (text !== undefined) window.shown.push(`${name} ${text}`);
      }
    }).observe(document, { subtree: true, childList: true, characterData: true });
  });
  await ada.page.reload();
  await ada.isIn();
  await expect(ada.personRow(ada)).toBeVisible();
  const shown = await ada.page.evaluate(() => window.shown);
  expect(shown).toContain("online-count –");
  expect(shown).toContain("people-list ");
  expect(shown).toContain("own-state Connecting…");
  expect(shown).not.toContain("online-count 0");
  expect(shown).not.toContain("people-list No one else is online.");
});

test("a second tab is still one person", async ({ person }) => {
  const ada = await person("Ada");
  const bob = await person("Bob");
  const tab = await bob.secondTab();
  for (const view of [ada, bob, tab]) await expect(view.personRow(bob)).toHaveCount(1);
});

test("the search box finds people by their names", async ({ person }) => {
  const [ada, bob] = [await person("Ada"), await person("Bob")];
  await expect(ada.personRow(bob)).toBeVisible();
  const search = ada.page.getByTestId("people-search");
  await search.fill(bob.name.toUpperCase());
  await expect(ada.page.getByTestId("person")).toHaveCount(1);
  await expect(ada.personRow(bob)).toBeVisible();
  await search.fill("%_%");
  await expect(ada.page.getByText("No matches.")).toBeVisible();
  await search.fill("");
  await expect(ada.personRow(ada)).toBeVisible();
  await expect(ada.personRow(bob)).toBeVisible();
});

test("a page that is left alone is away, and back with the first touch", async ({
  person,
  stranger,
}) => {
  const ada = await person("Ada");
  const bob = await stranger("Bob");
  await bob.page.clock.install();
  await bob.logIn();
  await ada.talkWith(bob);
  const standing = ada.page.getByTestId("partner-presence");
  await expect(standing).toHaveText("Online");
  await bob.page.mouse.move(10, 10);
  await bob.page.clock.fastForward("05:01");
  await expect(standing).toHaveText("Away");
  await expect(ada.personRow(bob)).toContainText("Away");
  await expect(ada.standing(bob)).toHaveAttribute("data-status", "away");
  await bob.page.mouse.move(20, 20);
  await expect(standing).toHaveText("Online");
  await expect(ada.personRow(bob)).not.toContainText("Away");
});

test("who is invisible is gone to others at once, and stays so after a reload", async ({
  person,
}) => {
  const [ada, bob] = [await person("Ada"), await person("Bob")];
  await ada.talkWith(bob);
  const standing = ada.page.getByTestId("partner-presence");
  await expect(standing).toHaveText("Online");
  await bob.page.getByTestId("settings-open").click();
  await bob.page.getByTestId("invisible-switch").check();
  await expect(bob.page.getByTestId("own-state")).toHaveText("Invisible");
  await expect(standing).toHaveText("Last seen just now");
  await expect(ada.standing(bob)).toHaveCount(0);

  await bob.page.reload();
  await expect(bob.page.getByTestId("own-state")).toHaveText("Invisible");
  await expect(standing).toHaveText("Last seen just now");
  await bob.page.getByTestId("settings-open").click();
  await bob.page.getByTestId("invisible-switch").uncheck();
  await expect(bob.page.getByTestId("own-state")).toHaveText("Online");
  await expect(standing).toHaveText("Online");
});
