import { expect, test } from "./fixtures";
import { enterName } from "./person";

/** What a browser that refuses storage does when it is asked for some. */
const REFUSALS = {
  "throws at what is asked of it": () => {
    const refuse = () => {
      throw new DOMException("The operation is insecure.", "SecurityError");
    };
    IDBFactory.prototype.open = refuse;
    Storage.prototype.getItem = refuse;
    Storage.prototype.setItem = refuse;
    LockManager.prototype.request = () => Promise.reject(new DOMException("No.", "SecurityError"));
    LockManager.prototype.query = () => Promise.reject(new DOMException("No.", "SecurityError"));
  },
  "has none": () => {
    Object.defineProperty(window, "indexedDB", { get: () => null });
    Object.defineProperty(window, "localStorage", { get: () => null });
    Object.defineProperty(navigator, "locks", { get: () => undefined });
  },
};

for (const [refusal, spoil] of Object.entries(REFUSALS)) {
  test(`people talk in a browser whose storage ${refusal}`, async ({ stranger, person }) => {
    const [ada, bob] = [await stranger("Ada"), await person("Bob")];
    await ada.context.addInitScript(spoil);
    await ada.logIn();
    await ada.talkWith(bob);
    await ada.say("Without a trace");
    await bob.conversationRow(ada).click();
    await bob.reads(["Without a trace"]);
    await ada.page.reload();
    await ada.reads(["Without a trace"]);
  });
}

test("a browser that takes no cookies is told, and takes no name from anybody", async ({
  stranger,
}) => {
  const ada = await stranger("Ada");
  await ada.context.addInitScript(() => {
    Object.defineProperty(Document.prototype, "cookie", { get: () => "", set: () => {} });
  });
  const asked: string[] = [];
  ada.page.on("request", (request) => asked.push(`${request.method()} ${request.url()}`));
  await ada.page.goto(ada.home);
  await enterName(ada.page, ada.name);
  await expect(ada.page.getByRole("alert")).toContainText("cookies");
  expect(asked.filter((request) => request.startsWith("POST"))).toEqual([]);
});
