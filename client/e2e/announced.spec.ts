import { expect, test } from "./fixtures";
import { refuseNext } from "./observed";
import { sendAll } from "./raw";

test("new messages are announced once, those that come together are counted", async ({
  person,
}) => {
  const [ada, bob] = [await person("Ada"), await person("Bob")];
  const said = ada.page.getByTestId("announcements");
  await bob.talkWith(ada);
  await bob.say("Are you there?");
  // In whatever conversation: the toast that shows it is no live region.
  await expect(said).toHaveText(`${bob.name}: Are you there?`);
  await ada.talkWith(bob);
  await bob.say("In front");
  await expect(said).toHaveText(`${bob.name}: In front`);
  await sendAll(
    bob.page,
    Array.from({ length: 40 }, (_, at) => `Message ${at + 1}`),
  );
  await expect(said).toHaveText(/^\d+ new messages from Bob .*\. The last: Message \d+$/);
  await expect(said).toHaveAttribute("aria-live", "polite");
  await refuseNext(ada.page);
  await ada.say("Refused");
  await expect(said).toHaveText("Not sent: Refused");
});

test("what was there before is not announced, and nothing else is live", async ({ person }) => {
  const [ada, bob] = [await person("Ada"), await person("Bob")];
  await bob.talkWith(ada);
  await bob.say("Before");
  await ada.talkWith(bob);
  await expect(ada.message("Before")).toBeVisible();
  await ada.page.addInitScript(() => {
    window.shown = [];
    new MutationObserver(() => {
      const text = document.querySelector('[data-testid="announcements"]')?.textContent ?? "";
      if (text !== window.shown.at(-1)) window.shown.push(text);
    }).observe(document, { subtree: true, childList: true, characterData: true });
  });
  await ada.page.reload();
  await expect(ada.message("Before")).toBeVisible();
  await bob.say("After");
  await expect(ada.page.getByTestId("announcements")).toHaveText(`${bob.name}: After`);
  expect(await ada.page.evaluate(() => window.shown)).toEqual(["", `${bob.name}: After`]);
  await expect(ada.page.getByRole("log")).toHaveAttribute("aria-live", "off");
});
