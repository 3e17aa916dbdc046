// Section 5 of the protocol reference: what is held of a conversation.

/** @typedef {{conversation: string, seq: number, sender: string, client_id: string, at: string, kind: string}} Event */

/** What is held of one conversation: a run of numbers without a gap, and what came beyond it. */
export class Log {
  from = 1;
  end = undefined;
  endAt = undefined;
  messages = [];
  aside = new Map();
  highest = 0;
  isPaging = false;
  pins = [];
  pinsAt = 0;
  pinEvents = new Map();

  /** @param {(event: Event) => void} onAppend is told each event that joins the run */
  constructor(conversation, onAppend) {
    Object.assign(this, { conversation, onAppend });
  }

  /** Takes an event, or a number without one: `event` is undefined if it is hidden or of an unknown kind. */
  receive(seq, event) {
    if (event?.kind === "pin" && seq > this.pinsAt) this.pinEvents.set(seq, event);
    if (this.end !== undefined && seq <= this.end) return;
    this.aside.set(seq, event);
    this.advance();
  }

  advance() {
    while (this.end !== undefined && this.aside.has(this.end + 1)) {
      this.end += 1;
      const event = this.aside.get(this.end);
      this.aside.delete(this.end);
      this.endAt = event?.at;
      if (event?.kind === "message") this.messages.push(event);
      if (event) this.onAppend(event);
    }
  }

  /** Joins a page that begins at or before the end of the run, or that is the first one. */
  append(page) {
    const fresh = page.messages.filter((event) => this.end === undefined || event.seq > this.end);
    if (this.end === undefined) this.from = page.from;
    if (this.end === undefined || page.to > this.end) {
      this.end = page.to;
      this.endAt = page.to === page.last_seq ? page.last_at ?? undefined : fresh.find(({ seq }) => seq === page.to)?.at;
    }
    for (const event of fresh) {
      this.messages.push(event);
      this.onAppend(event);
    }
    for (const seq of this.aside.keys()) if (seq <= this.end) this.aside.delete(seq);
    this.advance();
    this.highest = Math.max(this.highest, page.last_seq);
  }

  prepend(page) {
    this.messages.unshift(...page.messages.filter((event) => event.seq < this.from));
    this.from = page.from;
  }

  /** Adopts the pins of a `Conversation`, as of its `last_seq`. */
  adoptPins({ pins, last_seq: lastSeq }) {
    if (lastSeq < this.pinsAt) return;
    this.pins = pins;
    this.pinsAt = lastSeq;
    for (const seq of this.pinEvents.keys()) if (seq <= lastSeq) this.pinEvents.delete(seq);
  }

  /** The numbers of the pinned messages, the one pinned first in front. */
  pinned() {
    let list = [...this.pins];
    for (const [, { on, target }] of [...this.pinEvents].sort(([a], [b]) => a - b)) {
      if (!on) list = list.filter((seq) => seq !== target);
      else if (!list.includes(target)) list.push(target);
    }
    return list;
  }

  cursor() {
    return { conversation: this.conversation, seq: this.end, ...(this.endAt && { at: this.endAt }) };
  }
}
