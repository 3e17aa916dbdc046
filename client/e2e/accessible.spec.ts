import type { Page } from "@playwright/test";
import { BOTH, isAccessible, type Size } from "./axe";
import type { Cable } from "./cable";
import { expect, type Person, test } from "./fixtures";
import { refuseNext } from "./observed";
import { enterName } from "./person";

/** Who and what a state is made with. */
interface Scene {
  readonly ada: Person;
  readonly bob: Person;
  /** Between Ada and the server. */
  readonly cable: Cable;
}

interface State {
  /** Brings Ada's page there. */
  readonly bring: (scene: Scene) => Promise<void>;
  /** Where it looks different; both when left out. */
  readonly sizes?: readonly Size[];
}

/** The main states of the page for somebody who is logged in. Add those that are new. */
const STATES: Readonly<Record<string, State>> = {
  empty: {
    bring: async ({ ada }) => {
      await expect(
        ada.page.getByText("No conversations yet. Choose someone below to start one."),
      ).toBeVisible();
    },
  },

  "the list, with unread messages and a draft": {
    bring: async ({ ada, bob }) => {
      await bob.talkWith(ada);
      await bob.say("Are you there?");
      await expect(ada.unread(bob)).toHaveText("1");
      await ada.talkWith(bob);
      await expect(bob.message("Are you there?")).toHaveAttribute("data-state", "read");
      await ada.page.getByTestId("composer").fill("Not yet");
      await ada.leaveConversation();
      await bob.say("Hello?");
      await expect(ada.conversationRow(bob).getByTestId("draft")).toBeVisible();
      await expect(ada.unread(bob)).toHaveText("1");
    },
  },

  "a search that finds nothing": {
    bring: async ({ ada }) => {
      await ada.page.getByTestId("people-search").fill("Nobody of that name");
      await expect(ada.page.getByText("No matches.")).toBeVisible();
    },
  },

  "an empty conversation, and the name of an emoji": {
    bring: async ({ ada, bob }) => {
      await ada.talkWith(bob);
      await expect(ada.page.getByTestId("greeting")).toBeVisible();
      await ada.page.getByTestId("composer").pressSequentially(":sm");
      await expect(ada.page.getByTestId("emoji-completion")).toBeVisible();
    },
  },

  "an address that leads nowhere, and people who were found": {
    bring: async ({ ada, bob }) => {
      await ada.page.goto(`${ada.home}/#/nowhere`);
      await expect(ada.page.getByTestId("not-found")).toBeVisible();
      await ada.page.getByTestId("people-search").fill(bob.name);
      await expect(ada.page.getByTestId("people-found").getByTestId("person")).toHaveCount(1);
    },
  },

  "a conversation with messages in all states": {
    bring: async (scene) => {
      await talkALittle(scene);
      const { ada, bob, cable } = scene;
      await bob.page.goto("about:blank");
      await ada.say("Stored");
      await expect(ada.message("Stored")).toHaveAttribute("data-state", "stored");
      await refuseNext(ada.page);
      await ada.say("Refused");
      await expect(ada.message("Refused")).toHaveAttribute("data-state", "failed");
      cable.cut();
      await ada.say("Pending");
      await expect(ada.message("Pending")).toHaveAttribute("data-state", "pending");
    },
  },

  "formatted messages": {
    bring: async (scene) => {
      await talkALittle(scene);
      const { ada, bob } = scene;
      const text = "*Bold*, _slanted_, `code`:\n```js\nconst answer = 42; // and why\n```";
      for (const writer of [ada, bob]) {
        await writer.say(text);
        await expect(ada.page.getByTestId("code")).toHaveCount(writer === ada ? 1 : 2);
      }
      // Its colours are loaded when they are needed.
      await expect(ada.page.locator("pre span")).not.toHaveCount(0);
    },
  },

  "a message that has the focus": {
    bring: async (scene) => {
      await talkALittle(scene);
      const { page } = scene.ada;
      await page.getByRole("log").press("Home");
      await expect(page.getByTestId("message").first()).toBeFocused();
    },
  },

  "pinned messages, the first in a group and the last": {
    bring: async (scene) => {
      await pinAll(scene);
      await expect(scene.ada.page.getByLabel("Pinned", { exact: true })).toHaveCount(4);
    },
  },

  "the list of pinned messages": {
    bring: async (scene) => {
      await pinAll(scene);
      await scene.ada.page.getByTestId("pins-open").click();
      await expect(scene.ada.page.getByTestId("pinned-message")).toHaveCount(4);
    },
  },

  offline: {
    bring: async (scene) => {
      await talkALittle(scene);
      scene.cable.cut();
      await scene.ada.context.setOffline(true);
      await expect(scene.ada.page.getByTestId("banner")).toBeVisible();
    },
  },

  "a toast": {
    bring: async ({ ada, bob }) => {
      await bob.talkWith(ada);
      await bob.say("Over here");
      await expect(ada.page.getByTestId("toast")).toBeVisible();
      // It stays for as long as it is pointed at.
      await ada.page.getByTestId("toast").hover();
    },
  },

  "the quick switcher": {
    bring: async (scene) => {
      await talkALittle(scene);
      await scene.ada.page.keyboard.press("ControlOrMeta+K");
      await expect(scene.ada.page.getByTestId("switch-to").first()).toBeVisible();
    },
  },

  "the quick switcher that finds nobody": {
    bring: async ({ ada }) => {
      await ada.page.keyboard.press("ControlOrMeta+K");
      await ada.page.getByTestId("switcher-search").fill("Nobody of that name");
      await expect(ada.page.getByText("No matches.")).toBeVisible();
    },
  },

  "the list of shortcuts": {
    bring: async ({ ada }) => {
      await ada.page.getByTestId("shortcuts-open").click();
      await expect(ada.page.getByTestId("shortcuts")).toBeVisible();
    },
  },

  "the choice of emoji": {
    bring: async (scene) => {
      await talkALittle(scene);
      await scene.ada.page.getByTestId("emoji-button").click();
      await expect(scene.ada.page.getByRole("gridcell").first()).toBeVisible();
    },
  },

  "a version that lacks a part": {
    bring: async ({ ada }) => {
      await ada.page.evaluate(() => {
        const event = new Event("vite:preloadError");
        dispatchEvent(Object.assign(event, { payload: new Error("a part that is gone") }));
      });
      await expect(ada.page.getByTestId("edition")).toBeVisible();
    },
  },

  settings: {
    bring: async ({ ada }) => {
      await ada.page.getByTestId("settings-open").click();
      await expect(ada.page.getByRole("dialog")).toBeVisible();
    },
  },
};

for (const [name, { bring, sizes = BOTH }] of Object.entries(STATES)) {
  test(`accessible: ${name}`, async ({ person, cable }) => {
    const [ada, bob] = [await person("Ada", { on: cable }), await person("Bob")];
    await expect(ada.personRow(bob)).toBeVisible();
    await bring({ ada, bob, cable });
    await isAccessible(ada.page, sizes);
  });
}

/** The states before that. */
const STRANGERS: Readonly<Record<string, (page: Page) => Promise<void>>> = {
  "the way in": (page) => expect(page.getByTestId("login-name")).toBeFocused(),
  "the way in, refused": async (page) => {
    await enterName(page, "!");
    await expect(page.getByTestId("login-error")).toBeVisible();
  },
};

for (const [name, bring] of Object.entries(STRANGERS)) {
  test(`accessible: ${name}`, async ({ stranger }) => {
    const { page } = await stranger("Ada");
    await page.goto("/");
    await bring(page);
    await isAccessible(page);
  });
}

async function pinAll(scene: Scene): Promise<void> {
  await talkALittle(scene);
  const { page } = scene.ada;
  await page.getByRole("log").press("Home");
  await expect(page.getByTestId("message").first()).toBeFocused();
  for (let pins = 1; pins <= 4; pins += 1) {
    await page.keyboard.press("p");
    await expect(page.getByTestId("pins-open")).toHaveText(`${pins} pinned`);
    await page.keyboard.press("ArrowDown");
  }
}

async function talkALittle({ ada, bob }: Scene): Promise<void> {
  await ada.talkWith(bob);
  await bob.talkWith(ada);
  await bob.say("One");
  await bob.say("Two, at https://example.org");
  for (const text of ["Three", "Four"]) {
    await ada.say(text);
    await expect(ada.message(text)).toHaveAttribute("data-state", "read");
  }
}
