import { expect, test } from "./fixtures";
import { refuseNext } from "./observed";

test("messages of one sender are a group, with the time at its end", async ({ person }) => {
  const [ada, bob] = [await person("Ada"), await person("Bob")];
  await ada.talkWith(bob);
  await bob.talkWith(ada);
  for (const text of ["One", "Two", "Three"]) await ada.say(text);
  await expect(bob.message("Three")).toBeVisible();
  await bob.say("Four");
  await expect(ada.message("Four")).toBeVisible();

  for (const view of [ada, bob]) {
    const time = (text: string) => view.message(text).locator("time");
    for (const text of ["One", "Two"])
      await expect(time(text).locator("..")).toHaveCSS("opacity", "0");
    for (const text of ["Three", "Four"])
      await expect(time(text).locator("..")).toHaveCSS("opacity", "1");
    await view.message("Two").hover();
    await expect(time("Two").locator("..")).toHaveCSS("opacity", "1");
    await expect(time("One").locator("..")).toHaveCSS("opacity", "0");
    // By keyboard, and for readers whether it has the focus or not.
    await view.page.getByRole("log").press("Home");
    await expect(view.message("One")).toBeFocused();
    await expect(time("One").locator("..")).toHaveCSS("opacity", "1");
    const name =
      view === ada ? /^You: One \d+:\d+ Read$/ : new RegExp(`^${ada.name}: One \\d+:\\d+$`);
    await expect(view.message("One")).toHaveAccessibleName(name);
  }
});

test("a message that has come further than the next says so", async ({ person }) => {
  const [ada, bob] = [await person("Ada"), await person("Bob")];
  await ada.talkWith(bob);
  await bob.talkWith(ada);
  await ada.say("Read");
  await expect(ada.message("Read")).toHaveAttribute("data-state", "read");
  await bob.leaveConversation();
  await ada.say("Only delivered");
  await expect(ada.message("Only delivered")).toHaveAttribute("data-state", "delivered");
  const marks = (text: string) => ada.message(text).getByRole("img").locator("..");
  await expect(marks("Read")).toHaveCSS("opacity", "1");
  await bob.talkWith(ada);
  await expect(ada.message("Only delivered")).toHaveAttribute("data-state", "read");
  await expect(marks("Read")).toHaveCSS("opacity", "0");
});

test("the list shows what was begun, in every tab, until it is sent", async ({ person }) => {
  const [ada, bob, eve] = [await person("Ada"), await person("Bob"), await person("Eve")];
  await ada.talkWith(bob);
  await ada.say("Hello");
  const tab = await ada.secondTab();
  await ada.page.getByTestId("composer").fill("By the way");
  const draft = (view: typeof ada) => view.conversationRow(bob).getByTestId("draft");
  // Where it is in front, it is in view already.
  await expect(draft(tab)).toBeVisible();
  await expect(draft(ada)).toHaveCount(0);
  await ada.talkWith(eve);
  await expect(ada.conversationRow(bob)).toContainText("Draft: By the way");
  await ada.conversationRow(bob).click();
  await expect(ada.page.getByTestId("composer")).toHaveValue("By the way");
  await ada.page.getByTestId("composer").press("Enter");
  await expect(draft(tab)).toHaveCount(0);
  await expect(tab.conversationRow(bob)).toContainText("You: By the way");
});

test("one field searches conversations and people", async ({ person }) => {
  const [ada, bob, eve] = [await person("Ada"), await person("Bob"), await person("Eve")];
  for (const other of [bob, eve]) {
    await ada.talkWith(other);
    await ada.say("Hello");
    await expect(ada.conversationRow(other)).toBeVisible();
  }
  const field = ada.page.getByTestId("people-search");
  await field.fill(eve.name);
  await expect(ada.page.getByTestId("conversation")).toHaveCount(1);
  await expect(ada.conversationRow(eve)).toBeVisible();
  await expect(ada.page.getByTestId("person")).toHaveCount(0);
  await field.fill("Nobody of that name");
  await expect(ada.page.getByTestId("conversation")).toHaveCount(0);
  await field.clear();
  await expect(ada.page.getByTestId("conversation")).toHaveCount(2);
});

test("a message that was refused says why, and can be tried again or discarded", async ({
  person,
}) => {
  const [ada, bob] = [await person("Ada"), await person("Bob")];
  await ada.talkWith(bob);
  await bob.talkWith(ada);
  for (const text of ["First", "Second"]) {
    await refuseNext(ada.page);
    await ada.say(text);
    await expect(ada.message(text)).toHaveAttribute("data-state", "failed");
  }
  const failed = (text: string) => ada.page.getByRole("group", { name: `Not sent: ${text}` });
  await expect(failed("First")).toContainText(/blank|empty/i);
  await failed("First").getByRole("button", { name: "Discard" }).click();
  await expect(ada.message("First")).toHaveCount(0);
  await failed("Second").getByRole("button", { name: "Try again" }).click();
  await bob.reads(["Second"]);
  await expect(ada.page.getByTestId("failed")).toHaveCount(0);
});
