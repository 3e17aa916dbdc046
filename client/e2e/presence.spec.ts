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
  await expect(ada.personRow(bob)).toBeVisible();

  await tab.page.close();
  await expect(ada.personRow(bob)).toHaveCount(0);
  await expect(count).toHaveText("1");
  await expect(ada.page.getByTestId("partner-presence")).toHaveText("Not here now");
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
  await expect(ada.page.getByText("Nobody of that name is here.")).toBeVisible();
  await search.fill("");
  await expect(ada.personRow(ada)).toBeVisible();
  await expect(ada.personRow(bob)).toBeVisible();
});
