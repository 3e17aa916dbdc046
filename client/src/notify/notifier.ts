import { plainOf } from "../format/format";
import type { ConversationId, Message } from "../sdk/protocol/generated";
import type { State } from "../sdk/store/state";

/** How many characters of a message a toast or a notification shows. */
const EXCERPT = 140;

/** The ways to tell the user; a browser's are in `main.tsx`. */
export interface Voices {
  /** Inside the page; one of the same conversation is replaced. */
  toast(news: News): void;
  /** Outside of it. */
  notification(news: News): void;
  /** Whether the page is in view. */
  inView(): boolean;
  /** Whether it is for this page, of all that are open, to notify. */
  mayNotify(): Promise<boolean>;
}

/** What there is to tell. */
export interface News {
  readonly conversation: ConversationId;
  /** The name of who wrote. */
  readonly from: string;
  readonly excerpt: string;
}

/** Tells of a message of somebody else, where the user does not see it anyway. */
export async function tell(message: Message, state: State, voices: Voices): Promise<void> {
  const sender = state.people.get(message.sender);
  if (sender === undefined) return;
  const { conversation } = message;
  const news = { conversation, from: sender.name, excerpt: excerptOf(message.body) };
  if (state.open !== conversation) voices.toast(news);
  if (!voices.inView() && (await voices.mayNotify())) voices.notification(news);
}

/** The beginning of a message, on one line. */
export function excerptOf(body: string): string {
  const line = plainOf(body).replace(/\s+/g, " ").trim();
  const characters = [...line];
  return characters.length > EXCERPT ? `${characters.slice(0, EXCERPT).join("")}…` : line;
}
