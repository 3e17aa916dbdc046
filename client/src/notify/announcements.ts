import { excerptOf } from "../format/excerpt";
import type { Clock } from "../sdk/engine/clock";
import type { Message } from "../sdk/protocol/generated";
import { Listeners } from "../sdk/store/listeners";
import { selectMe } from "../sdk/store/selectors";
import type { State } from "../sdk/store/state";
import { text } from "../text/text";

/** What comes within this time after a message is announced with it. */
export const TOGETHER_MS = 1_000;
/** So long an announcement can be come across on the page. */
export const KEPT_MS = 10_000;
/** More senders than this are not named. */
const NAMED = 3;

/** A message to be announced. */
export interface Heard {
  /** The name of who wrote. */
  readonly from: string;
  readonly excerpt: string;
}

/** What is announced; the number tells it from one before that says the same. */
export interface Announcement {
  readonly number: number;
  readonly says: string;
}

/**
 * What screen readers are told, in the one live region of the page: what others
 * write, and what could not be sent. Many at once are counted.
 */
export class Announcements {
  private now: Announcement = { number: 0, says: "" };
  private heard: Heard[] = [];
  private forget = () => {};
  private readonly listeners = new Listeners();

  constructor(private readonly clock: Pick<Clock, "after">) {}

  /** A message of somebody else came in. */
  hear(message: Message, state: State): void {
    const sender = state.people.get(message.sender);
    if (sender === undefined) return;
    this.heard.push({ from: sender.name, excerpt: excerptOf(message.body) });
    if (this.heard.length === 1) this.clock.after(TOGETHER_MS, () => this.tell());
  }

  /** Says which of the own messages have been refused between two states. */
  follow(before: State, after: State): void {
    if (before.outbox === after.outbox || selectMe(before) !== selectMe(after)) return;
    const known = new Set(before.outbox.entries.filter(isFailed).map((entry) => entry.clientId));
    for (const entry of after.outbox.entries) {
      if (!isFailed(entry) || known.has(entry.clientId)) continue;
      this.say(text.messages.failed(excerptOf(entry.body)));
    }
  }

  readonly get = (): Announcement => this.now;

  readonly subscribe = this.listeners.add;

  private tell(): void {
    const says = sentenceOf(this.heard);
    this.heard = [];
    this.say(says);
  }

  private say(says: string): void {
    this.forget();
    this.show(says);
    this.forget = this.clock.after(KEPT_MS, () => this.show(""));
  }

  private show(says: string): void {
    this.now = { number: this.now.number + 1, says };
    this.listeners.tell();
  }
}

const isFailed = (entry: { readonly state: string }) => entry.state === "failed";

/** One is read out, several are counted, and the last of them read out if they are of one sender. */
export function sentenceOf(heard: readonly Heard[]): string {
  const last = heard.at(-1);
  if (last === undefined) return "";
  if (heard.length === 1) return text.announced.one(last.from, last.excerpt);
  const names = [...new Set(heard.map(({ from }) => from))];
  if (names.length === 1) return text.announced.several(heard.length, last.from, last.excerpt);
  if (names.length > NAMED) return text.announced.many(heard.length, names.length);
  return text.announced.some(heard.length, names);
}
