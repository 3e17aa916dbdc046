import { expect, test } from "./fixtures";

const PHONE = { viewport: { width: 390, height: 780 }, hasTouch: true, isMobile: true };

test("a phone finds somebody who is offline by any word of the name", async ({ person }) => {
  const lucja = await person("Łucja Ångström");
  await lucja.page.close();
  const ada = await person("Ada", PHONE);
  const { page } = ada;
  const word = lucja.name.split(" ").slice(1).join(" ");
  await page.getByTestId("people-search").fill(word.replace("Ångström", "ANGSTROM"));
  await expect(page.getByTestId("person")).toHaveCount(1);
  await ada.personRow(lucja).tap();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText(lucja.name);
  await expect(page.getByTestId("greeting")).toContainText(`Say hello to ${lucja.name}!`);
  await page.getByTestId("composer").fill("Read this later");
  await page.getByTestId("send-button").tap();
  await expect(page.getByTestId("greeting")).toHaveCount(0);
  await expect(ada.message("Read this later")).toHaveAttribute("data-state", "stored");
});

test("the first one on a server is offered a link and notes", async ({ person, ownServer }) => {
  const on = await ownServer();
  const ada = await person("Ada", { on, permissions: ["clipboard-read", "clipboard-write"] });
  const main = ada.page.getByRole("main");
  await expect(main.getByTestId("invitation")).toHaveValue(on.url);
  await main.getByTestId("invite").click();
  await expect(main.getByTestId("invite")).toHaveText("Copied");
  expect(await ada.page.evaluate(() => navigator.clipboard.readText())).toBe(on.url);

  await main.getByTestId("begin-notes").click();
  await expect(ada.page).toHaveTitle("Notes to self – Tidings");
  const tab = await ada.secondTab();
  await ada.say("Buy milk");
  await expect(ada.message("Buy milk")).toHaveAttribute("data-state", "stored");
  await expect(tab.conversationRow(ada)).toContainText("Buy milk");
  await expect(tab.page.getByTestId("unread-badge")).toHaveCount(0);
  await expect(tab.page).toHaveTitle("Tidings");
  // Who is in the conversations is not listed again.
  await expect(tab.page.getByTestId("person")).toHaveCount(0);
  await expect(tab.page.getByTestId("people-list")).toHaveText("No one else is online.");
});

test("nobody moves under the pointer, and the list can be folded away", async ({
  person,
  ownServer,
}) => {
  const on = await ownServer({ TIDINGS_PRESENCE_GRACE_MS: "300" });
  const ada = await person("Mia", { on, plain: true });
  const [bob, eve] = [await person("Bob", { on, plain: true }), await person("Zoe", { on })];
  const names = () =>
    ada.page
      .getByTestId("person")
      .evaluateAll((rows) => rows.map((row) => (row as HTMLElement).dataset.name));
  await expect.poll(names).toEqual(["Bob", "Mia", eve.name]);
  await ada.personRow(eve).hover();
  const place = await ada.personRow(eve).boundingBox();
  await bob.page.close();
  await person("Anna", { on, plain: true });
  await expect.poll(names).toEqual(["Bob", "Mia", eve.name, "Anna"]);
  await expect(ada.standing(bob)).toHaveCount(0);
  expect(await ada.personRow(eve).boundingBox()).toEqual(place);
  await ada.page.mouse.move(600, 10);
  await expect.poll(names).toEqual(["Anna", "Mia", eve.name]);

  await ada.page.getByTestId("people-fold").click();
  await expect(ada.page.getByTestId("people-list")).toHaveCount(0);
  await expect(ada.page.getByTestId("online-count")).toHaveText("3");
  await ada.page.reload();
  await ada.isIn();
  await expect(ada.page.getByTestId("people-fold")).toHaveAttribute("aria-expanded", "false");
  await ada.page.getByTestId("people-fold").click();
  await expect.poll(names).toEqual(["Anna", "Mia", eve.name]);
});

test("who is typing is shown in the list", async ({ person }) => {
  const [ada, bob] = [await person("Ada"), await person("Bob")];
  await bob.talkWith(ada);
  await bob.say("Hello");
  await expect(ada.unread(bob)).toHaveText("1");
  await bob.page.getByTestId("composer").pressSequentially("And");
  await expect(ada.conversationRow(bob)).toContainText("typing…");
  await bob.page.getByTestId("composer").press("Enter");
  await expect(ada.conversationRow(bob)).toContainText("And");
});

test("an address that leads nowhere says so, and leads back", async ({ person }) => {
  const ada = await person("Ada");
  const { page } = ada;
  const says = page.getByTestId("not-found").getByRole("heading", { level: 1 });
  for (const [hash, words] of [
    ["#/c/0199aaaa-0000-7000-8000-000000000001", "This conversation doesn't exist"],
    ["#/c/nonsense", "This conversation doesn't exist"],
    ["#/nowhere", "Page not found."],
  ] as const) {
    await page.goto(`${ada.home}/${hash}`);
    await expect(says).toContainText(words);
  }
  await page.getByTestId("not-found").getByRole("link").click();
  await expect(page.getByTestId("not-found")).toHaveCount(0);
});

test("a dropped file leaves the page as it is", async ({ person }) => {
  const [ada, bob] = [await person("Ada"), await person("Bob")];
  await ada.talkWith(bob);
  const taken = await ada.page.evaluate(() => {
    const dataTransfer = new DataTransfer();
    dataTransfer.items.add(new File(["x"], "x.png", { type: "image/png" }));
    const give = (type: string) =>
      document
        .querySelector("main")
        ?.dispatchEvent(new DragEvent(type, { dataTransfer, bubbles: true, cancelable: true }));
    return ["dragover", "drop"].map(give);
  });
  // Neither is left to the browser, which would open the file.
  expect(taken).toEqual([false, false]);
  await expect(ada.page.getByText("Files can't be sent yet.")).toBeVisible();
  await expect(ada.page.getByTestId("composer")).toBeVisible();
});
