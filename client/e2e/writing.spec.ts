import type { Route } from "@playwright/test";
import { expect, type Person, test } from "./fixtures";
import { paste, talk } from "./person";

const CODE = 'fn main() {\n    println!("<b>hi</b>");\n}';

const FORMATTED = `**bold** and _italic_, ~~struck~~, \`a_b\`, ***both***
https://example.org/a_b_c, 2*3*4, snake_case
\`\`\`rust
${CODE}
\`\`\`
*after*`;

/** What would be markup, an address that runs something, or formatting within formatting. */
const HOSTILE = `**<img src="/none.png" onerror="document.title='owned'">**
[x](javascript:document.title='owned') _<b>not bold</b>_
\`\`\`html
<script>document.title = 'owned'</script>
\`\`\``;

/** Files come from the server, where a test can hold them up, and not from the service worker. */
const NETWORK = { serviceWorkers: "block" } as const;

const composerOf = ({ page }: Person) => page.getByTestId("composer");

test("what is marked is shown as elements, code in colours, and excerpts without marks", async ({
  person,
}) => {
  const [ada, bob, eve] = [await person("Ada"), await person("Bob"), await person("Eve")];
  await talk(ada, bob);
  await composerOf(ada).fill(FORMATTED);
  await ada.page.keyboard.press("Enter");
  for (const view of [ada, bob]) {
    const body = view.message("bold and").getByTestId("body");
    await expect(body.locator("strong").first()).toHaveText("bold");
    await expect(body.locator("em").first()).toHaveText("italic");
    await expect(body.locator("s")).toHaveText("struck");
    await expect(body.locator("em strong")).toHaveText("both");
    await expect(body.locator("p code")).toHaveText("a_b");
    await expect(body.locator("p").last().locator("em")).toHaveText("after");
    const link = body.getByRole("link");
    await expect(link).toHaveAttribute("href", "https://example.org/a_b_c");
    await expect(link).toHaveAttribute("rel", "noopener noreferrer");
    await expect(body.locator("p").first()).toContainText("2*3*4, snake_case");
    await expect(body.locator("pre")).toHaveText(CODE, { useInnerText: true });
    await expect(body.locator("pre .hljs-string")).toHaveText('"<b>hi</b>"');
  }
  await bob.talkWith(eve);
  await ada.say("**Look** at `this`");
  await expect(bob.conversationRow(ada)).toContainText("Look at this");
  await expect(bob.page.getByTestId("toast")).toContainText("Look at this");
});

test("colours that come later move nothing", async ({ person }) => {
  const [ada, bob] = [await person("Ada"), await person("Bob", NETWORK)];
  await talk(ada, bob);
  const held: Route[] = [];
  await bob.page.route(/highlight-.*\.js$/, (route) => void held.push(route));
  await composerOf(ada).fill(FORMATTED);
  await ada.page.keyboard.press("Enter");
  const message = bob.message("bold and");
  await expect(message).toBeVisible();
  const before = await message.boundingBox();
  await expect.poll(() => held.length).toBe(1);
  await expect(message.locator("pre span")).toHaveCount(0);
  await held[0]?.continue();
  await expect(message.locator("pre .hljs-string")).toBeVisible();
  expect(await message.boundingBox()).toEqual(before);
});

test("b19: formatting lets no markup and no script in", async ({ person }) => {
  const [ada, bob] = [await person("Ada"), await person("Bob")];
  await talk(ada, bob);
  await composerOf(ada).fill(HOSTILE);
  await ada.page.keyboard.press("Enter");
  for (const view of [ada, bob]) {
    const body = view.message("not bold").getByTestId("body");
    await expect(body.locator("strong")).toHaveText(
      '<img src="/none.png" onerror="document.title=\'owned\'">',
    );
    await expect(body.locator("em")).toHaveText("<b>not bold</b>");
    await expect(body.locator("pre .hljs-name").first()).toHaveText("script");
    await expect(body.locator("a, img, script, b, iframe, [onerror], [style]")).toHaveCount(0);
    await expect(view.page).toHaveTitle(/^(\(\d+\) )?(.+ – )?Tidings$/);
  }
});

test("code is copied by its button, and scrolls by the keyboard", async ({ person }) => {
  const ada = await person("Ada", { permissions: ["clipboard-read", "clipboard-write"] });
  const bob = await person("Bob");
  await talk(ada, bob);
  const long = `let a = "${"x".repeat(300)}";\n  // done`;
  await composerOf(bob).fill(`\`\`\`js\n${long}\n\`\`\``);
  await bob.page.keyboard.press("Enter");
  const copy = ada.page.getByRole("button", { name: "Copy code" });
  await copy.click();
  await expect(copy).toContainText("Copied");
  expect(await ada.page.evaluate(() => navigator.clipboard.readText())).toBe(long);
  await ada.page.keyboard.press("Tab");
  const code = ada.page.getByRole("group", { name: "Code, js" });
  await expect(code).toBeFocused();
  await ada.page.keyboard.press("ArrowRight");
  await expect.poll(() => code.evaluate((pre) => pre.scrollLeft)).toBeGreaterThan(0);
  const wider = await ada.page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  expect(wider).toBe(0);
});

test("an emoji is written by its name, and a time is a time", async ({ person }) => {
  const [ada, bob] = [await person("Ada"), await person("Bob")];
  await ada.talkWith(bob);
  const composer = composerOf(ada);
  const { keyboard } = ada.page;
  const offered = ada.page.getByTestId("emoji-completion").getByRole("option");
  await composer.pressSequentially("At 10:30 :tad");
  await expect(offered.first()).toContainText(":tada:");
  await expect(composer).toHaveAttribute("aria-activedescendant", "emoji-completion-0");
  await keyboard.press("Enter");
  await expect(composer).toHaveValue("At 10:30 🎉");
  await expect(offered).toHaveCount(0);
  await keyboard.press("ControlOrMeta+Z");
  await expect(composer).toHaveValue("At 10:30 :tad");
  // What was put back is selected.
  await keyboard.press("End");

  // Escape does without; what is completed by its colon needs no choice.
  await expect(offered.first()).toBeVisible();
  await keyboard.press("Escape");
  await expect(offered).toHaveCount(0);
  await expect(composer).toBeFocused();
  await composer.fill("");
  await composer.pressSequentially("`:tada:` :smi");
  await expect(offered.first()).toContainText(":smile:");
  await composer.pressSequentially("le:");
  await expect(composer).toHaveValue("`:tada:` 😄");
  await keyboard.press("Enter");
  await expect(ada.message(":tada: 😄")).toBeVisible();
});

test("the panel of emoji leads to each category", async ({ person }) => {
  const [ada, bob] = [await person("Ada"), await person("Bob")];
  await ada.talkWith(bob);
  await ada.page.getByTestId("emoji-button").click();
  const panel = ada.page.getByTestId("emoji-panel");
  await expect(panel.getByTestId("emoji-category")).not.toHaveCount(0);
  await panel.getByRole("button", { name: "Food & drink" }).click();
  await expect(panel.getByRole("gridcell", { name: "Grapes", exact: true })).toBeInViewport();
  await panel.getByRole("gridcell", { name: "Grapes", exact: true }).click();
  await expect(composerOf(ada)).toHaveValue("🍇");
});

test("an emoji is found and put in by the keyboard, and can be undone", async ({ person }) => {
  const [ada, bob] = [await person("Ada"), await person("Bob")];
  await talk(ada, bob);
  const composer = composerOf(ada);
  await composer.pressSequentially("Hello  there");
  for (const _ of " there") await ada.page.keyboard.press("ArrowLeft");
  await ada.page.keyboard.press("Shift+Tab");
  await expect(ada.page.getByTestId("emoji-button")).toBeFocused();
  await ada.page.keyboard.press("Enter");
  const search = ada.page.getByTestId("emoji-search");
  await expect(search).toBeFocused();
  await search.pressSequentially("waving hand");
  await expect(ada.page.getByRole("gridcell", { name: "Waving hand" })).toBeVisible();
  await ada.page.keyboard.press("Enter");
  await expect(ada.page.getByTestId("emoji-panel")).toHaveCount(0);
  await expect(composer).toBeFocused();
  await expect(composer).toHaveValue("Hello 👋 there");
  await ada.page.keyboard.press("ControlOrMeta+z");
  await expect(composer).toHaveValue("Hello  there");
  await ada.page.keyboard.press("ControlOrMeta+Shift+z");
  await ada.page.keyboard.press("Enter");
  await expect(bob.message("Hello 👋 there")).toBeVisible();

  // It is offered again, in the skin tone that was chosen; Escape goes back to writing.
  await ada.page.getByTestId("emoji-button").click();
  await ada.page.getByRole("group", { name: "Recently used" }).getByRole("button").click();
  await expect(composer).toHaveValue("👋");
  await ada.page.getByTestId("emoji-button").click();
  await ada.page.getByTestId("skin-tone").click();
  await ada.page.keyboard.press("Escape");
  await expect(composer).toBeFocused();
  await ada.page.reload();
  await ada.page.getByTestId("emoji-button").click();
  await ada.page.getByTestId("emoji-search").fill("thumbs up");
  await ada.page.getByRole("gridcell", { name: "Thumbs up" }).click();
  await expect(composer).toHaveValue("👋👍🏻");
  await ada.page.keyboard.press("Enter");
  const size = (text: string) =>
    bob
      .message(text)
      .locator("p")
      .evaluate((body) => Number.parseFloat(getComputedStyle(body).fontSize));
  await expect(bob.message("👋👍🏻")).toBeVisible();
  expect(await size("👋👍🏻")).toBeGreaterThan(2 * (await size("Hello 👋 there")));
});

test("what cannot be loaded says so, and works when it can", async ({ person }) => {
  const [ada, bob] = [await person("Ada", NETWORK), await person("Bob")];
  await talk(ada, bob);
  await ada.page.route(/EmojiPanel-.*\.js$/, (route) => route.abort());
  await ada.page.getByTestId("emoji-button").click();
  await expect(ada.page.getByTestId("emoji-panel")).toContainText("Couldn't load emoji");
  await ada.page.keyboard.press("Escape");
  await ada.page.unroute(/EmojiPanel-.*\.js$/);
  await ada.page.getByTestId("emoji-button").click();
  await expect(ada.page.getByTestId("emoji-search")).toBeVisible();
});

test("keys put marks around what is selected, which can be undone", async ({ person }) => {
  const [ada, bob] = [await person("Ada"), await person("Bob")];
  await ada.talkWith(bob);
  const composer = composerOf(ada);
  await composer.pressSequentially("some words");
  await ada.page.keyboard.press("ControlOrMeta+Shift+ArrowLeft");
  await ada.page.keyboard.press("ControlOrMeta+b");
  await expect(composer).toHaveValue("some **words**");
  await ada.page.keyboard.press("ControlOrMeta+i");
  await expect(composer).toHaveValue("some **_words_**");
  await ada.page.keyboard.press("ControlOrMeta+i");
  await ada.page.keyboard.press("ControlOrMeta+b");
  await expect(composer).toHaveValue("some words");
  await ada.page.keyboard.press("ControlOrMeta+e");
  await expect(composer).toHaveValue("some `words`");
  await ada.page.keyboard.press("ControlOrMeta+z");
  await expect(composer).toHaveValue("some words");
});

test("a draft stays with its conversation, over a reload, and is the same in another tab", async ({
  person,
}) => {
  const [ada, bob, eve] = [await person("Ada"), await person("Bob"), await person("Eve")];
  await talk(ada, bob);
  const composer = composerOf(ada);
  await composer.pressSequentially("first line");
  await ada.page.keyboard.press("Shift+Enter");
  await composer.pressSequentially("second");
  await ada.talkWith(eve);
  await expect(composer).toHaveValue("");
  await ada.conversationRow(bob).click();
  await expect(composer).toHaveValue("first line\nsecond");
  await ada.page.reload();
  await expect(composer).toBeFocused();
  await ada.page.keyboard.type("!");
  await expect(composer).toHaveValue("first line\nsecond!");
  const tab = await ada.secondTab();
  await tab.conversationRow(bob).click();
  await expect(composerOf(tab)).toHaveValue("first line\nsecond!");
  await ada.page.keyboard.press("Enter");
  await expect(composerOf(tab)).toHaveValue("");
  await expect(composer).toBeFocused();
  await expect(bob.message("second!")).toBeVisible();
});

test("near the limit the characters are counted; beyond it nothing is sent", async ({ person }) => {
  const ada = await person("Ada", { permissions: ["clipboard-read", "clipboard-write"] });
  const bob = await person("Bob");
  await talk(ada, bob);
  const composer = composerOf(ada);
  const count = ada.page.locator("#composer-length");
  await composer.fill("a".repeat(3_599));
  await expect(count).toBeHidden();
  await ada.page.keyboard.type("a");
  await expect(count).toHaveText("3,600 of 4,000 characters");
  await paste(ada.page, "😀".repeat(401));
  await expect(count).toHaveText("1 over the 4,000-character limit");
  await expect(composer).toHaveAttribute("aria-invalid", "true");
  await ada.page.keyboard.press("Enter");
  await expect(ada.page.getByTestId("send-button")).toBeDisabled();
  await paste(ada.page, "b".repeat(9_000));
  await expect(count).toHaveText("Too long: cut off at 8,000 characters");
  await ada.page.keyboard.press("ControlOrMeta+z");
  await expect(count).toHaveText("1 over the 4,000-character limit");
  await ada.page.keyboard.press("Backspace");
  await ada.page.keyboard.press("Enter");
  await expect(composer).toHaveValue("");
  await expect(bob.page.getByTestId("message")).toHaveCount(2);
});

test("on a phone Enter begins a line, and the button sends", async ({ person }) => {
  const phone = { hasTouch: true, isMobile: true, viewport: { width: 390, height: 780 } };
  const [ada, bob] = [await person("Ada", phone), await person("Bob")];
  await ada.talkWith(bob);
  const composer = composerOf(ada);
  await composer.tap();
  await composer.pressSequentially("one");
  await ada.page.keyboard.press("Enter");
  await composer.pressSequentially("two ");
  await expect(composer).toHaveValue("one\ntwo ");
  await ada.page.getByTestId("emoji-button").tap();
  const panel = ada.page.getByTestId("emoji-panel");
  for (const name of ["Grinning face", "Slightly smiling face"]) {
    await panel.getByRole("gridcell", { name, exact: true }).tap();
  }
  await expect(composer).toHaveValue("one\ntwo 😀🙂");
  await ada.page.getByTestId("send-button").tap();
  await expect(panel).toHaveCount(0);
  await bob.personRow(ada).click();
  await expect(bob.message("two 😀🙂")).toBeVisible();
  await expect(composer).toHaveValue("");
});
