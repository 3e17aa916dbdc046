import { excerptOf } from "../format/excerpt";
import { text } from "../i18n/i18n";
import type { Clock } from "../sdk/connection/clock";
import { isMessageEntry } from "../sdk/outbox/outbox";
import type { Message } from "../sdk/protocol/message";
import { Listeners } from "../sdk/store/listeners";
import { selectMe } from "../sdk/store/selectors";
import type { State } from "../sdk/store/state";

/** Messages within this time after one are announced with it. */
export const TOGETHER_MS = 1_000;
/** How long an announcement stays on the page. */
export const KEPT_MS = 10_000;
/** Names are left out if there are more senders than this. */
const NAMED = 3;

/** A message to be announced. */
export interface Heard {
  /** The name of the sender. */
  readonly from: string;
  readonly excerpt: string;
}

/** An announcement; the number distinguishes it from an earlier one with the same text. */
export interface Announcement {
  readonly number: number;
  readonly says: string;
}

/**
 * Announces to screen readers, in the one live region of the page, messages of others
 * and messages that could not be sent. Many at once are counted.
 */
export class Announcements {
  private now: Announcement = { number: 0, says: "" };
  private heard: Heard[] = [];
  private forget = () => {};
  private readonly listeners = new Listeners();

  constructor(private readonly clock: Pick<Clock, "after">) {}

  /** To be called for every message of somebody else. */
  hear(message: Message, state: State): void {
    const sender = state.people.get(message.sender);
    if (sender === undefined) return;
    this.heard.push({ from: sender.name, excerpt: excerptOf(message.body) });
    if (this.heard.length === 1) this.clock.after(TOGETHER_MS, () => this.tell());
  }

  /** Announces own messages that have been refused between two states. */
  follow(before: State, after: State): void {
    if (before.outbox === after.outbox || selectMe(before) !== selectMe(after)) return;
    const known = new Set(before.outbox.entries.filter(isFailed).map((entry) => entry.clientId));
    for (const entry of after.outbox.entries.filter(isMessageEntry)) {
      if (!isFailed(entry) || known.has(entry.clientId)) continue;
      this.say(text.messages.failed(excerptOf(entry.content.body)));
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

/** One message is read out. Several are counted, and the last is read out if all are from one sender. */
export function sentenceOf(heard: readonly Heard[]): string {
  const last = heard.at(-1);
  if (last === undefined) return "";
  if (heard.length === 1) return text.announced.one(last.from, last.excerpt);
  const names = [...new Set(heard.map(({ from }) => from))];
  if (names.length === 1) return text.announced.several(heard.length, last.from, last.excerpt);
  if (names.length > NAMED) return text.announced.many(heard.length, names.length);
  return text.announced.some(heard.length, names);
}
