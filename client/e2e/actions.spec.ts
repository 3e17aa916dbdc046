import { isAccessible } from "./axe";
import { expect, type Person, test } from "./fixtures";
import { talk } from "./person";
import { sendAll } from "./raw";

const CLIPBOARD = ["clipboard-read", "clipboard-write"];
const PHONE = { viewport: { width: 390, height: 780 }, hasTouch: true, isMobile: true };

const copied = ({ page }: Person) => page.evaluate(() => navigator.clipboard.readText());
const menu = ({ page }: Person) => page.getByRole("menu", { name: "Message actions" });
const item = (person: Person, name: string) => menu(person).getByRole("menuitem", { name });

test("a right click opens the menu of a message, and a click beside it closes it", async ({
  person,
}) => {
  const [ada, bob] = [await person("Ada", { permissions: CLIPBOARD }), await person("Bob")];
  await talk(ada, bob);
  await ada.message("Before").getByTestId("body").click({ button: "right" });
  await expect(item(ada, "Pin message")).toBeFocused();
  await isAccessible(ada.page);
  await ada.page.mouse.click(5, 5);
  await expect(menu(ada)).toHaveCount(0);

  await ada.message("Before").getByTestId("body").click({ button: "right" });
  await item(ada, "Copy text").click();
  await expect(ada.page.getByText("Copied")).toBeVisible();
  expect(await copied(ada)).toBe("Before");
  await ada.message("Before").hover();
  await ada.message("Before").getByTestId("more").click();
  await item(ada, "Pin message").click();
  await expect(bob.page.getByTestId("pins-open")).toHaveText("1 pinned");
  await expect(menu(ada)).toHaveCount(0);
});

test("keys lead through the menu, act at once, and leave the focus on the message", async ({
  person,
}) => {
  const [ada, bob] = [await person("Ada", { permissions: CLIPBOARD }), await person("Bob")];
  await talk(ada, bob);
  const { keyboard } = ada.page;
  await ada.page.getByRole("log").press("ArrowUp");
  await expect(ada.message("Before")).toBeFocused();
  await keyboard.press("c");
  await expect.poll(() => copied(ada)).toBe("Before");
  await keyboard.press("m");
  await expect(item(ada, "Pin message")).toBeFocused();
  await keyboard.press("ArrowUp");
  await expect(item(ada, "Copy link")).toBeFocused();
  await keyboard.press("Home");
  await keyboard.press("ArrowDown");
  await expect(item(ada, "Copy text")).toBeFocused();
  await keyboard.press("Escape");
  await expect(menu(ada)).toHaveCount(0);
  await expect(ada.page.getByRole("region", { name: bob.name })).toBeVisible();
  await expect(ada.message("Before")).toBeFocused();
  await keyboard.press("Shift+F10");
  await expect(item(ada, "Pin message")).toBeFocused();
  await keyboard.press("p");
  await expect(menu(ada)).toHaveCount(0);
  await expect(bob.page.getByTestId("pins-open")).toHaveText("1 pinned");
  await expect(ada.page.getByTestId("composer")).toHaveValue("");
});

test("a long press opens a sheet on a phone, and selects nothing", async ({ person }) => {
  const [bob, ada] = [await person("Bob"), await person("Ada", PHONE)];
  await talk(bob, ada);
  const body = ada.message("Before").getByTestId("body");
  const box = await body.boundingBox();
  if (box === null) throw new Error("the message is not drawn");
  const session = await ada.context.newCDPSession(ada.page);
  const touch = (type: "touchStart" | "touchEnd", points: { x: number; y: number }[]) =>
    session.send("Input.dispatchTouchEvent", { type, touchPoints: points });
  await touch("touchStart", [{ x: box.x + 10, y: box.y + box.height / 2 }]);
  await expect(item(ada, "Pin message")).toBeVisible();
  await touch("touchEnd", []);
  await expect(item(ada, "Pin message")).toBeVisible();
  await isAccessible(ada.page);
  const sheet = await ada.page.locator(".message-menu").boundingBox();
  expect([sheet?.x, sheet?.width, (sheet?.y ?? 0) + (sheet?.height ?? 0)]).toEqual([0, 390, 780]);
  expect(await ada.page.evaluate(() => `${getSelection()}`)).toBe("");
  await item(ada, "Pin message").tap();
  await expect(bob.page.getByTestId("pins-open")).toHaveText("1 pinned");
});

test("a link leads to its message from elsewhere, however far away, and says if it is gone", async ({
  person,
}) => {
  const [ada, bob] = [await person("Ada", { permissions: CLIPBOARD }), await person("Bob")];
  await talk(ada, bob);
  await sendAll(
    bob.page,
    Array.from({ length: 300 }, (_, at) => `Line ${at + 1} of many`),
  );
  await expect(ada.message("Line 300 of many")).toBeVisible();
  const late = ada.message("Line 299 of many");
  await late.getByTestId("body").click({ button: "right" });
  await item(ada, "Copy link").click();
  await expect.poll(() => copied(ada)).toMatch(/\/#\/c\/[0-9a-f-]{36}\/300$/);
  const link = await copied(ada);

  const tab = await ada.secondTab();
  await tab.page.goto(link.replace(/300$/, "20"));
  await expect(tab.message("Line 19 of many")).toBeInViewport();
  expect(tab.page.url()).toBe(link.replace(/\/300$/, ""));
  await tab.page.reload();
  await tab.isIn();

  // Within the page, a link that somebody wrote goes there without a new tab.
  await bob.say(link.replace(/300$/, "3"));
  await ada.page.getByTestId("message").getByRole("link").click();
  await expect(ada.message("Line 2 of many")).toBeInViewport();
  await expect(ada.message("Line 2 of many")).toBeFocused();
  await ada.page.evaluate((address) => location.assign(address), link.replace(/300$/, "9000"));
  await expect(ada.page.getByText("This message isn't here.")).toBeVisible();
});
