import { type BrowserContext, expect, type Locator, type Page } from "@playwright/test";

/** Somebody with a browser of their own, on one page of Tidings. */
export class Person {
  constructor(
    readonly name: string,
    readonly context: BrowserContext,
    readonly page: Page,
    /** The address of the server. */
    readonly home: string,
  ) {}

  async logIn(): Promise<void> {
    await this.page.goto(this.home);
    await enterName(this.page, this.name);
    await this.isIn();
  }

  /** The page shows who they are, and is connected. */
  async isIn(): Promise<void> {
    await expect(this.page.getByTestId("own-name")).toHaveText(this.name);
    await this.isConnected();
  }

  async isConnected(): Promise<void> {
    await expect(this.page.locator("html")).toHaveAttribute("data-connection", "open");
  }

  /** Another page of the same browser. */
  async secondTab(): Promise<Person> {
    const tab = new Person(this.name, this.context, await this.context.newPage(), this.home);
    await tab.page.goto(this.home);
    await tab.isIn();
    return tab;
  }

  /** Brings the conversation with somebody who is here to the front. */
  async talkWith(other: Person): Promise<void> {
    await this.personRow(other).click();
    await expect(
      this.page.getByRole("region", { name: `Conversation with ${other.name}` }),
    ).toBeVisible();
  }

  /** Writes a line and sends it. */
  async say(text: string): Promise<void> {
    await this.page.getByTestId("composer").fill(text);
    await this.page.getByTestId("composer").press("Enter");
  }

  /** Goes back to where no conversation is in front. */
  async leaveConversation(): Promise<void> {
    await this.page.goto(`${this.home}/#/`);
    await expect(this.page.getByText("Choose a conversation, or someone")).toBeVisible();
  }

  message(text: string): Locator {
    // Of its body only: with the time behind it, "1" becomes "10:15".
    const body = this.page.getByTestId("body").filter({ hasText: text });
    return this.page.getByTestId("message").filter({ has: body });
  }

  /** The texts in view, in order, must become these. */
  async reads(texts: readonly string[]): Promise<void> {
    await expect(this.page.getByTestId("body")).toHaveText([...texts]);
  }

  /** Where somebody is found: among the conversations, else among those online. */
  personRow(other: Person): Locator {
    return this.conversationRow(other).or(this.rowOf("person", other)).first();
  }

  /** Whether somebody is shown as here: online or away. */
  standing(other: Person): Locator {
    return this.personRow(other).locator("[data-status]");
  }

  conversationRow(other: Person): Locator {
    return this.rowOf("conversation", other);
  }

  unread(other: Person): Locator {
    return this.conversationRow(other).getByTestId("unread-badge");
  }

  private rowOf(kind: string, other: Person): Locator {
    return this.page.locator(`[data-testid="${kind}"][data-name="${other.name}"]`);
  }
}

export async function enterName(page: Page, name: string): Promise<void> {
  await page.getByTestId("login-name").fill(name);
  await page.getByTestId("login-submit").click();
}

/** Both have the conversation in front and have read one message in it. */
export async function talk(ada: Person, bob: Person): Promise<void> {
  await ada.talkWith(bob);
  await bob.talkWith(ada);
  await ada.say("Before");
  await expect(bob.message("Before")).toBeVisible();
  await expect(ada.message("Before")).toHaveAttribute("data-state", "read");
}

/** Pastes where the focus is, on a page that may use the clipboard. */
export async function paste(page: Page, text: string): Promise<void> {
  await page.evaluate((copied) => navigator.clipboard.writeText(copied), text);
  await page.keyboard.press("ControlOrMeta+V");
}
