// Section 4 of the protocol reference: what is to be sent, until its outcome is known.

import { randomBytes } from "node:crypto";

/** The limits that hold until the first `welcome`. */
export const DEFAULT_LIMITS = {
  text_max_chars: 4000, unacknowledged_sends: 32, sends_per_second: 5, sends_burst: 20, typing_interval_ms: 3000,
  typing_expiry_ms: 6000, receipt_interval_ms: 250, reconnect_min_ms: 500, reconnect_max_ms: 20000, history_page_max: 100,
};

/** A fresh UUIDv7 (RFC 9562): 48 bits of time, then random bits. */
export function newClientId() {
  const bytes = randomBytes(16);
  bytes.writeUIntBE(Date.now(), 0, 6);
  bytes[6] = 0x70 | (bytes[6] & 0x0f);
  bytes[8] = 0x80 | (bytes[8] & 0x3f);
  return bytes.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

/** A bucket of `size` tokens that fills with `perSecond` tokens a second; 0 a second means no limit. */
class TokenBucket {
  filledAt = Date.now();

  constructor(size, perSecond) {
    Object.assign(this, { size, perSecond, tokens: size });
  }

  /** Takes a token and returns 0, or returns the milliseconds until there is one. */
  take() {
    if (this.perSecond === 0) return 0;
    const now = Date.now();
    this.tokens = Math.min(this.size, this.tokens + ((now - this.filledAt) / 1000) * this.perSecond);
    this.filledAt = now;
    if (this.tokens < 1) return Math.ceil(((1 - this.tokens) / this.perSecond) * 1000);
    this.tokens -= 1;
    return 0;
  }
}

/** The operations whose outcome is not known yet, in the order of writing. */
export class Outbox {
  pausedUntil = 0;
  isOpen = false;
  limits = DEFAULT_LIMITS;
  pace = new TokenBucket(DEFAULT_LIMITS.sends_burst, DEFAULT_LIMITS.sends_per_second);

  /** @param {(frame: object) => void} send @param {(entries: object[]) => void} save */
  constructor(send, save, saved = []) {
    Object.assign(this, { send, save, entries: saved.map((entry) => ({ ...entry, isSent: false, isDiscarded: false })) });
  }

  find(clientId) { return this.entries.find((entry) => entry.client_id === clientId); }

  write(conversation, content) {
    const entry = { client_id: newClientId(), conversation, content, isSent: false, isDiscarded: false };
    this.entries.push(entry);
    this.#changed();
    this.pump();
    return entry.client_id;
  }

  pump() {
    clearTimeout(this.timer);
    if (!this.isOpen) return;
    const pause = this.pausedUntil - Date.now();
    if (pause > 0) return this.#pumpIn(pause);
    while (this.entries.filter((entry) => entry.isSent).length < this.limits.unacknowledged_sends) {
      const entry = this.entries.find((one) => !one.isSent);
      if (!entry) return;
      const delay = this.pace.take();
      if (delay > 0) return this.#pumpIn(delay);
      this.send({ type: "send", client_id: entry.client_id, conversation: entry.conversation, ...entry.content });
      entry.isSent = true;
    }
  }

  onWelcome(limits) {
    this.limits = limits;
    Object.assign(this.pace, { size: limits.sends_burst, perSecond: limits.sends_per_second });
    this.entries = this.entries.filter((entry) => !entry.isDiscarded);
    this.begin();
  }

  /** Begins from the oldest entry: at `welcome`, and after `resync`. */
  begin() {
    for (const entry of this.entries) if (!entry.isDiscarded) entry.isSent = false;
    this.pausedUntil = 0;
    this.isOpen = true;
    this.pump();
  }

  onEnd() {
    this.isOpen = false;
    clearTimeout(this.timer);
  }

  /** Returns the entry that is stored now, or nothing if it was settled before. */
  onStored(clientId) {
    const entry = this.#remove(clientId);
    this.pump();
    return entry;
  }

  onOwnEvent(clientId) {
    const entry = this.#remove(clientId);
    // It may have been refused for now on this connection, and the server would wait for it.
    if (entry && !entry.isSent) this.send({ type: "give_up", client_id: clientId });
    this.pump();
  }

  /** Returns the entry that was refused for good, if the user still wants it. */
  onError(error) {
    const { client_id: clientId, retry_after_ms: delay } = error;
    const entry = this.find(clientId);
    let refused;
    if (!entry || entry.isDiscarded) {
      this.#remove(clientId);
      if (delay) this.send({ type: "give_up", client_id: clientId });
    } else if (delay) {
      for (const later of this.entries.slice(this.entries.indexOf(entry))) if (!later.isDiscarded) later.isSent = false;
      this.pausedUntil = Math.max(this.pausedUntil, Date.now() + delay);
    } else {
      refused = this.#remove(clientId);
    }
    this.pump();
    return refused;
  }

  /** The user does not want it any more. A sent one may still be stored, so it stays until it is answered. */
  discard(clientId) {
    const entry = this.find(clientId);
    if (!entry) return;
    if (entry.isSent) {
      entry.isDiscarded = true;
    } else {
      this.#remove(clientId);
      if (this.isOpen) this.send({ type: "give_up", client_id: clientId });
    }
    this.#changed();
  }

  clear() {
    this.entries = [];
    this.#changed();
  }

  #pumpIn(ms) { this.timer = setTimeout(() => this.pump(), ms); }

  #remove(clientId) {
    const entry = this.find(clientId);
    this.entries = this.entries.filter((one) => one !== entry);
    if (entry) this.#changed();
    return entry;
  }

  #changed() {
    const wanted = this.entries.filter((entry) => !entry.isDiscarded);
    this.save(wanted.map(({ client_id, conversation, content }) => ({ client_id, conversation, content })));
  }
}
