import type { Page } from "@playwright/test";
import { expect, type Person, test } from "./fixtures";
import { setVisibility } from "./observed";

/** Run by `npm run pictures`: the main states, as the documentation shows them. */
const DOCS = "../docs";

const TALK: readonly [string, string][] = [
  ["Lena", "Morning! Did the night run finish?"],
  ["Marco", "Just now. Ten thousand messages, and not one of them twice."],
  ["Lena", "And when you killed the database?"],
  ["Marco", "It said “waiting” for two seconds, then everything went out in order."],
  ["Lena", "Lovely. I’ll put the figures into the report."],
  ["Marco", "They are here: https://example.org/runs/42"],
  ["Lena", "Thanks! Lunch at the harbour? It stopped raining."],
];

const LAST = "I’ll be downstairs in ten minutes, with an umbrella anyway.";

async function picture(page: Page, name: string): Promise<void> {
  await page.screenshot({ path: `${DOCS}/${name}.png`, animations: "disabled", caret: "hide" });
}

test("the main states", async ({ person, stranger, ownServer }) => {
  const on = await ownServer({ TIDINGS_SENDS_PER_SECOND: "0" });
  const wide = { on, plain: true, viewport: { width: 1100, height: 680 } };
  const newcomer = await stranger("Somebody", wide);
  await newcomer.page.goto("/");
  await newcomer.page.getByTestId("login-name").fill("Lena");
  await picture(newcomer.page, "login");

  const lena = await person("Lena", { ...wide, permissions: ["notifications"] });
  const marco = await person("Marco", wide);
  const [priya, tomas] = [await person("Priya", wide), await person("Tomás", wide)];
  await priya.talkWith(lena);
  await priya.say("The slides for Thursday are ready, have a look when you can.");
  await tomas.talkWith(lena);
  await tomas.say("Keys are back at the front desk.");
  for (const other of [priya, tomas]) {
    await lena.conversationRow(other).click();
    await expect(lena.page.getByRole("heading", { level: 1 })).toHaveText(other.name);
    await expect(lena.unread(other)).toHaveCount(0);
  }
  await converse(lena, marco);
  await lena.page.mouse.move(0, 0);
  await setVisibility(marco.page, "hidden");
  await lena.say(LAST);
  await expect(lena.message(LAST)).toHaveAttribute("data-state", "delivered");
  await priya.say("Slide 4 has the new numbers.");
  await expect(lena.unread(priya)).toHaveText("1");
  await picture(lena.page, "toast");
  await expect(lena.page.getByTestId("toast")).toHaveCount(0);
  await marco.page.getByTestId("composer").pressSequentially("See");
  await expect(lena.page.getByTestId("typing-indicator")).toBeVisible();
  await picture(lena.page, "chat");

  await lena.page.getByTestId("settings-open").click();
  await expect(lena.page.getByRole("dialog")).toBeVisible();
  await picture(lena.page, "settings");
  await lena.page.keyboard.press("Escape");

  await lena.page.emulateMedia({ colorScheme: "dark" });
  await picture(lena.page, "chat-dark");
  await lena.page.keyboard.press("ControlOrMeta+K");
  await expect(lena.page.getByTestId("switcher")).toBeVisible();
  await picture(lena.page, "switcher-dark");
  await lena.page.keyboard.press("Escape");
  await onPhone(lena, wide.viewport);
  await on.end("SIGKILL");
  await expect(lena.page.getByTestId("banner")).toBeVisible();
  await lena.say("Are you on your way?");
  await expect(lena.message("Are you on your way?")).toHaveAttribute("data-state", "pending");
  await picture(lena.page, "banner");
});

/** The conversation and the lists on a phone, light and dark. */
async function onPhone(lena: Person, wide: { width: number; height: number }): Promise<void> {
  const { page } = lena;
  const address = page.url();
  await page.setViewportSize({ width: 390, height: 780 });
  await page.reload();
  await expect(lena.message(LAST)).toBeVisible();
  await expect(lena.message(LAST)).toBeInViewport({ ratio: 1 });
  await picture(page, "phone-dark");
  await page.emulateMedia({ colorScheme: "light" });
  await picture(page, "phone");
  await page.getByTestId("back").click();
  await expect(page.getByTestId("conversation-list")).toBeInViewport();
  await picture(page, "phone-list");
  await page.goto(address);
  await page.setViewportSize(wide);
}

async function converse(lena: Person, marco: Person): Promise<void> {
  await lena.talkWith(marco);
  await marco.talkWith(lena);
  for (const [name, text] of TALK) {
    const [writer, reader] = name === "Lena" ? [lena, marco] : [marco, lena];
    await writer.say(text);
    await expect(reader.message(text)).toBeVisible();
    await expect(writer.message(text)).toHaveAttribute("data-state", "read");
  }
}
