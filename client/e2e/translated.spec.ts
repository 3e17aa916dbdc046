import { expect, test } from "./fixtures";
import { talk } from "./person";

/**
 * Translates the page as browsers do: each text is replaced by `<font><font>…</font></font>`, now
 * and whenever there is a new one.
 */
function translate(): void {
  const isLeftAlone = (node: Node) =>
    node.parentElement?.closest("script, style, textarea, font, [translate=no]") !== null;
  const replace = (text: Text) => {
    if (text.data.trim() === "" || isLeftAlone(text)) return;
    const [outer, inner] = [document.createElement("font"), document.createElement("font")];
    inner.textContent = `${text.data}!`;
    outer.append(inner);
    text.replaceWith(outer);
  };
  const replaceIn = (root: Node) => {
    const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
    const texts: Text[] = [];
    while (walker.nextNode()) texts.push(walker.currentNode as Text);
    texts.forEach(replace);
  };
  replaceIn(document.body);
  new MutationObserver((changes) => {
    for (const node of changes.flatMap(({ addedNodes }) => [...addedNodes])) {
      if (node instanceof Text) replace(node);
      else if (node.nodeName !== "FONT") replaceIn(node);
    }
  }).observe(document.body, { childList: true, subtree: true });
}

test("a page that the browser translates goes on, and what changes is seen", async ({
  person,
  cable,
}) => {
  const [ada, bob] = [await person("Ada", { on: cable }), await person("Bob")];
  const eve = await person("Eve");
  await talk(ada, bob);
  await bob.say("**Two** and `more` https://wiki.example/x");
  await eve.talkWith(ada);
  await eve.say("Elsewhere");
  await expect(ada.conversationRow(eve)).toContainText("Elsewhere");
  const { page } = ada;
  await page.evaluate(translate);
  await expect(page.getByTestId("partner-presence")).toHaveText("Online!");
  await expect(ada.message("Two! and !more")).toBeVisible();

  await ada.say("Mine");
  await expect(ada.message("Mine!")).toHaveAttribute("data-state", "read");
  await bob.page.getByTestId("composer").pressSequentially("An answer");
  await expect(page.getByTestId("typing-indicator")).toContainText("typing");
  await bob.page.getByTestId("composer").press("Enter");
  await expect(ada.message("An answer!")).toBeVisible();
  await expect(page.getByTestId("typing-indicator")).toHaveCount(0);
  // A toast, and where it leads.
  await eve.say("Look");
  await page.getByTestId("toast").click();
  await expect(ada.message("Look!")).toBeVisible();
  await page.getByTestId("composer").fill("A draft");
  await ada.conversationRow(bob).click();
  await expect(ada.conversationRow(eve)).toContainText("A draft!");
  // Whoever goes is seen to have gone: a text gives way to a time.
  await bob.page.close();
  await expect(page.getByTestId("partner-presence").locator("time")).toHaveText(/!$/);
  await page.getByTestId("people-search").fill("zzz");
  await page.getByTestId("people-search").fill("");
  await page.keyboard.press("ControlOrMeta+K");
  await page.keyboard.type(eve.name);
  await page.keyboard.press("Enter");
  await expect(ada.message("Look!")).toBeVisible();
  cable.cut();
  await page.evaluate(() => window.dispatchEvent(new Event("offline")));
  await expect(page.getByTestId("banner")).toHaveText(/!$/);
  cable.mend();
  await expect(page.getByTestId("banner")).toHaveCount(0);
  await expect(page.getByTestId("own-state")).toHaveText("Online!");
  await expect(page.getByTestId("broken")).toHaveCount(0);
});
