import { expect, type Person, test } from "./fixtures";
import { Gatekeeper } from "./gatekeeper";
import { enterName } from "./person";
import { isKept } from "./worker";

/** The session with the gatekeeper is over; that with Tidings is not. */
async function loseGate(person: Person, gatekeeper: Gatekeeper): Promise<void> {
  await person.context.clearCookies({ name: "gate" });
  gatekeeper.cut();
}

test("the kept page leads to the log-in of a proxy before the server", async ({
  stranger,
  server,
}) => {
  using gatekeeper = await Gatekeeper.before(server);
  const ada = await stranger("Ada", { on: gatekeeper });
  const enter = ada.page.getByRole("link", { name: "Enter" });
  await ada.page.goto(ada.home);
  await enter.click();
  await enterName(ada.page, ada.name);
  await ada.isIn();
  await isKept(ada.page);

  // A page that is reloaded goes there by itself.
  await loseGate(ada, gatekeeper);
  await ada.page.reload();
  await enter.click();
  await ada.isIn();
  expect(new URL(ada.page.url()).search).toBe("");

  // One that is in use asks first.
  await loseGate(ada, gatekeeper);
  await ada.page.getByTestId("gate").click();
  await enter.click();
  await ada.isIn();
  await expect(ada.page.getByTestId("banner")).toHaveCount(0);
});
