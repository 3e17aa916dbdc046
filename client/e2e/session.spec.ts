import { isAccessible } from "./axe";
import { expect, test } from "./fixtures";
import { setVisibility } from "./observed";
import { enterName } from "./person";

const PASSWORD = "correct horse battery staple";

test("a name is chosen and kept through a reload", async ({ person }) => {
  const ada = await person("Ada");
  await expect(ada.personRow(ada)).toContainText("you");
  await ada.page.reload();
  await ada.isIn();
});

test("a name in use is refused with a sentence", async ({ person, stranger }) => {
  const ada = await person("Ada");
  const other = await stranger("Somebody");
  await other.page.goto("/");
  await enterName(other.page, ada.name.toUpperCase());
  await expect(other.page.getByTestId("login-error")).toContainText("That name is taken");
  await enterName(other.page, other.name);
  await other.isIn();
});

test("a password opens the name in another browser", async ({ person, stranger }) => {
  const ada = await person("Ada");
  await ada.page.getByTestId("settings-open").click();
  await ada.page.getByTestId("password-new").fill(PASSWORD);
  await ada.page.getByTestId("password-submit").click();
  await expect(ada.page.getByTestId("password-saved")).toBeVisible();

  const elsewhere = await stranger("Ada");
  await elsewhere.page.goto("/");
  await enterName(elsewhere.page, ada.name);
  await elsewhere.page.getByTestId("login-password").fill("a wrong one");
  await elsewhere.page.getByTestId("login-submit").click();
  await expect(elsewhere.page.getByTestId("login-error")).toHaveText("Wrong password.");
  await elsewhere.page.getByTestId("login-password").fill(PASSWORD);
  await elsewhere.page.getByTestId("login-submit").click();
  await elsewhere.isIn();
  await ada.isConnected();
});

test("a log-in page does not end the session that another tab began", async ({ stranger }) => {
  const ada = await stranger("Ada");
  const [second, third] = [await ada.context.newPage(), await ada.context.newPage()];
  for (const page of [ada.page, second, third]) {
    await page.goto("/");
    await expect(page.getByTestId("login-name")).toBeVisible();
  }
  await enterName(ada.page, ada.name);
  await ada.isIn();

  await enterName(second, "Somebody else");
  await expect(second.getByText(`already logged in as ${ada.name}`)).toBeVisible();
  await expect(second.getByTestId("own-name")).toHaveText(ada.name);

  await setVisibility(third, "hidden");
  await setVisibility(third, "visible");
  await expect(third.getByTestId("own-name")).toHaveText(ada.name);
  await ada.isIn();
  expect(await ada.page.evaluate(() => window.sockets.length)).toBe(1);
});

test("logging out closes the socket of the session, in every tab", async ({ person }) => {
  const ada = await person("Ada");
  const tab = await ada.secondTab();
  await ada.page.getByTestId("settings-open").click();
  await ada.page.getByTestId("logout").click();
  await expect(ada.page.getByText("you lose this name and its conversations")).toBeVisible();
  await ada.page.getByTestId("logout-cancel").click();
  await expect(ada.page.getByTestId("logout")).toBeFocused();
  await ada.page.getByTestId("logout").click();
  await ada.page.getByTestId("logout-anyway").click();
  for (const { page } of [ada, tab]) {
    await expect(page.getByTestId("login-name")).toBeVisible();
    const open = () => page.evaluate(() => window.sockets.filter((s) => s.readyState < 2).length);
    await expect.poll(open).toBe(0);
  }
  await ada.page.reload();
  await expect(ada.page.getByTestId("login-name")).toBeVisible();
});

test("a session ended elsewhere says so and gives back what was written", async ({
  person,
  stranger,
}) => {
  const [ada, bob] = [await person("Ada"), await person("Bob")];
  await ada.page.getByTestId("settings-open").click();
  await ada.page.getByTestId("password-new").fill(PASSWORD);
  await ada.page.getByTestId("password-submit").click();
  await expect(ada.page.getByTestId("password-saved")).toBeVisible();
  await ada.page.keyboard.press("Escape");

  const elsewhere = await stranger("Ada");
  const enter = async () => {
    await elsewhere.page.getByTestId("login-submit").click();
    await elsewhere.page.getByTestId("login-password").fill(PASSWORD);
    await elsewhere.page.getByTestId("login-submit").click();
    await elsewhere.isIn();
  };
  await elsewhere.page.goto("/");
  await elsewhere.page.getByTestId("login-name").fill(ada.name);
  await enter();
  await elsewhere.talkWith(bob);
  await elsewhere.page.getByTestId("composer").fill("Not sent yet");

  await ada.page.getByTestId("settings-open").click();
  const sessions = ada.page.getByTestId("open-session");
  await expect(sessions).toHaveCount(2);
  await expect(sessions.filter({ hasText: "This browser" })).toContainText("Chrome on Linux");
  await isAccessible(ada.page);
  await ada.page.getByTestId("open-session-end").click();
  await expect(sessions).toHaveCount(1);

  await expect(elsewhere.page.getByText("You've been logged out")).toBeVisible();
  await expect(elsewhere.page.getByTestId("login-name")).toHaveValue(ada.name);
  await expect(elsewhere.page.getByTestId("left")).toContainText("1 draft");
  await isAccessible(elsewhere.page);
  await elsewhere.page.getByTestId("left-keep").click();
  await enter();
  await expect(elsewhere.page.getByTestId("composer")).toHaveValue("Not sent yet");
});
