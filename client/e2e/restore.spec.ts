import { Cable } from "./cable";
import { expect, type Person, test } from "./fixtures";
import { talk } from "./person";
import { QUICK_RETURN } from "./server";

for (const way of ["recovered", "copied back"] as const) {
  test(`f26: a page loads a database of yesterday afresh, ${way}, and mixes nothing`, async ({
    person,
    ownServer,
  }) => {
    const on = await ownServer({ ...QUICK_RETURN, TIDINGS_SENDS_PER_SECOND: "0" });
    const cable = await Cable.to(on);
    const [ada, bob] = [await person("Ada", { on: cable }), await person("Bob", { on })];
    await talk(ada, bob);
    const yesterday = ["Before", "Yesterday 1", "Yesterday 2"];
    for (const text of yesterday.slice(1)) await bob.say(text);
    await ada.reads(yesterday);
    await on.end("SIGTERM");
    await on.copyDatabase();
    await on.run();
    await ada.isConnected();
    await bob.isConnected();
    const today = ["Today 1", "Today 2", "Today 3"];
    for (const text of today) await bob.say(text);
    await ada.reads([...yesterday, ...today]);

    await on.end("SIGTERM");
    await on.restoreDatabase(way);
    cable.cut();
    await ada.say("Written meanwhile");
    await on.run();
    await bob.isConnected();
    await bob.reads(yesterday);
    // More than was lost: by the numbers alone Ada's page could take it for what follows.
    const again = ["Again 1", "Again 2", "Again 3", "Again 4", "Again 5"];
    for (const text of again) await bob.say(text);
    await expect(bob.message("Again 5")).toHaveAttribute("data-state", "stored");
    cable.mend();

    const texts = [...yesterday, ...again, "Written meanwhile"];
    for (const reader of [ada, bob]) {
      await reader.reads(texts);
      await expectDense(reader, texts.length);
    }
    const cold = await ada.secondTab();
    await cold.conversationRow(bob).click();
    await cold.reads(texts);
    await ada.say("From Ada, after");
    await bob.say("From Bob, after");
    for (const reader of [ada, bob, cold]) {
      await expect(reader.message("after")).toHaveCount(2);
      await expectDense(reader, texts.length + 2);
    }
    cable.close();
  });
}

/** The messages drawn are numbered from 1 on. */
async function expectDense(reader: Person, count: number): Promise<void> {
  const messages = reader.page.getByTestId("message");
  const numbers = () =>
    messages.evaluateAll((all) => all.map((row) => Number((row as HTMLElement).dataset.seq)));
  await expect.poll(numbers).toEqual(Array.from({ length: count }, (_, index) => index + 1));
}
