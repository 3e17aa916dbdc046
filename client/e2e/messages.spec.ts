import { expect, test } from "./fixtures";
import { recordStates, statesOf } from "./observed";

/** What a message's state goes through. One that lasts no longer than a frame is not drawn. */
const STATES = ["pending", "stored", "delivered", "read"];

test("a message is delivered when it is there, and read when it was in view", async ({
  person,
}) => {
  const [ada, bob, eve] = [await person("Ada"), await person("Bob"), await person("Eve")];
  // Bob has the page open on another conversation.
  await bob.talkWith(eve);
  await ada.talkWith(bob);
  const line = ada.message("Are you there?");

  await recordStates(ada.page);
  await ada.say("Are you there?");
  await expect(line).toHaveAttribute("data-state", "delivered");
  await expect(bob.unread(ada)).toHaveText("1");

  await bob.conversationRow(ada).click();
  await expect(bob.message("Are you there?")).toBeVisible();
  await expect(line).toHaveAttribute("data-state", "read");
  await expect(bob.unread(ada)).toHaveCount(0);
  const states = await statesOf(ada.page);
  expect(states).toEqual(STATES.filter((state) => state !== "stored" || states.includes(state)));

  await bob.say("Yes, and it is quiet.");
  await expect(ada.message("Yes, and it is quiet.")).toBeVisible();
  await expect(bob.message("Yes, and it is quiet.")).toHaveAttribute("data-state", "read");
  await ada.reads(["Are you there?", "Yes, and it is quiet."]);
});

test("a message to somebody who is away goes from pending to stored, to delivered, to read", async ({
  person,
}) => {
  const [ada, bob] = [await person("Ada"), await person("Bob")];
  await ada.talkWith(bob);
  await bob.page.goto("about:blank");
  const line = ada.message("For later");
  await recordStates(ada.page);
  await ada.say("For later");
  await expect(line).toHaveAttribute("data-state", "stored");
  await bob.page.goto("/");
  await bob.isIn();
  await expect(bob.unread(ada)).toHaveText("1");
  await expect(line).toHaveAttribute("data-state", "delivered");
  await bob.conversationRow(ada).click();
  await expect(line).toHaveAttribute("data-state", "read");
  expect(await statesOf(ada.page)).toEqual(STATES);
});
