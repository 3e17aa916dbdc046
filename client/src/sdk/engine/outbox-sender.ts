import type { Clock } from "../connection/clock";
import { due, type Entry, type Outbox } from "../outbox/outbox";
import { available, FULL, spend, type TokenBucket, untilNext } from "../outbox/token-bucket";
import type { ClientFrame, ClientId, ErrorFrame, UserId } from "../protocol/generated";
import type { EngineEvent } from "../store/events";
import type { StateStore } from "../store/store";
import type { OutboxStorage } from "./ports";

/** Sends the entries of the outbox, and keeps their copy in storage up to date. */
export class OutboxSender {
  private cancelTimer: () => void = () => {};
  private bucket: TokenBucket = FULL;

  constructor(
    private readonly store: StateStore,
    private readonly storage: OutboxStorage,
    private readonly clock: Clock,
    private readonly send: (frame: ClientFrame) => boolean,
    private readonly dispatch: (event: EngineEvent) => void,
  ) {}

  /** To be called after every change of the outbox. */
  async changed(user: UserId, before: Outbox, after: Outbox): Promise<void> {
    const { put, gone } = difference(before, after);
    for (const entry of before.entries) {
      if (entry.state === "waiting" && gone.includes(entry.clientId)) this.giveUp(entry.clientId);
    }
    // The page still holds what storage refuses: only a reload loses it.
    if (put.length > 0) await this.storage.put(user, put).catch(() => {});
    if (gone.length > 0) await this.storage.delete(gone).catch(() => {});
  }

  /** Sends what is due, and schedules itself for when more may be sent. */
  pump(): void {
    this.cancelTimer();
    const { link, outbox, limits } = this.store.get();
    if (link !== "open") return;
    const now = this.clock.now();
    const ready = due(outbox, limits.unacknowledged_sends, now);
    const sent = ready.slice(0, available(this.bucket, limits, now)).filter((e) => this.hand(e));
    this.bucket = spend(this.bucket, limits, now, sent.length);
    if (sent.length > 0) this.dispatch({ type: "sent", entries: sent });
    this.schedule(now);
  }

  /** Takes over what this page, before a reload, or a closed tab has left in storage. */
  async adopt(user: UserId): Promise<void> {
    const entries = await this.storage.adopt(user).catch(() => []);
    if (entries.length > 0) this.dispatch({ type: "written", entries });
  }

  /** The server holds back what follows a refused send. If it was discarded here, it is given up. */
  refused(error: ErrorFrame): void {
    const { client_id, retry_after_ms } = error;
    if (client_id === undefined || retry_after_ms === undefined) return;
    const { entries } = this.store.get().outbox;
    if (!entries.some((entry) => entry.clientId === client_id)) this.giveUp(client_id);
  }

  private giveUp(client_id: ClientId): void {
    // A new connection holds back nothing.
    if (this.store.get().link === "open") this.send({ type: "give_up", client_id });
  }

  private hand(entry: Entry): boolean {
    const { clientId: client_id, conversation, content } = entry;
    return this.send({ type: "send", client_id, conversation, ...content });
  }

  /** Pumps again when a pause ends, or the bucket allows another send. Answers pump, too. */
  private schedule(now: number): void {
    const { outbox, limits } = this.store.get();
    if (!outbox.entries.some((entry) => entry.state === "waiting")) return;
    const wait = Math.max(outbox.pausedUntil - now, untilNext(this.bucket, limits, now));
    this.cancelTimer();
    if (wait > 0) this.cancelTimer = this.clock.after(wait, () => this.pump());
  }
}

/** What changes in storage, to which it makes no difference whether an entry is in flight. */
function difference(before: Outbox, after: Outbox): { put: Entry[]; gone: string[] } {
  const old = new Map(before.entries.map((entry) => [entry.clientId, entry]));
  const put = after.entries.filter((entry) => {
    const known = old.get(entry.clientId);
    return known === undefined || (known.state === "failed") !== (entry.state === "failed");
  });
  for (const entry of after.entries) old.delete(entry.clientId);
  return { put, gone: [...old.keys()] };
}
