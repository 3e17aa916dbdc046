import type { ClientFrame, UserId } from "../protocol/generated";
import type { Clock } from "./clock";
import type { EngineEvent, OutboxStorage, StateStore } from "./model";
import { due, type Entry, type Outbox } from "./outbox";
import { allowance, type Pace, spend, UNSPENT, untilNext } from "./pace";

/** Sends what the outbox holds, and keeps its copy in storage true. */
export class Sending {
  private cancelTimer: () => void = () => {};
  private pace: Pace = UNSPENT;

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
    // The page still holds what storage refuses; only a reload would lose it.
    if (put.length > 0) await this.storage.put(user, put).catch(() => {});
    if (gone.length > 0) await this.storage.delete(gone).catch(() => {});
  }

  /** Hands what is due to the socket; comes back by itself when more may go. */
  pump(): void {
    this.cancelTimer();
    const { link, outbox, limits } = this.store.get();
    if (link !== "open") return;
    const now = this.clock.now();
    const ready = due(outbox, limits.unacknowledged_sends, now);
    const sent = ready.slice(0, allowance(this.pace, limits, now)).filter((e) => this.hand(e));
    this.pace = spend(this.pace, limits, now, sent.length);
    if (sent.length > 0) this.dispatch({ type: "sent", entries: sent });
    this.comeBack(now);
  }

  /** Takes over what this page or one that is gone wrote before. */
  async adopt(user: UserId): Promise<void> {
    const entries = await this.storage.adopt(user).catch(() => []);
    if (entries.length > 0) this.dispatch({ type: "written", entries });
  }

  private hand(entry: Entry): boolean {
    const { clientId: client_id, conversation, body } = entry;
    return this.send({ type: "send", client_id, conversation, body });
  }

  /** When a pause ends, or the pace allows another one. Answers pump by themselves. */
  private comeBack(now: number): void {
    const { outbox, limits } = this.store.get();
    if (!outbox.entries.some((entry) => entry.state === "waiting")) return;
    const wait = Math.max(outbox.pausedUntil - now, untilNext(this.pace, limits, now));
    this.cancelTimer();
    if (wait > 0) this.cancelTimer = this.clock.after(wait, () => this.pump());
  }
}

/** What storage must learn: whether one is on its way or not makes no difference to it. */
function difference(before: Outbox, after: Outbox): { put: Entry[]; gone: string[] } {
  const old = new Map(before.entries.map((entry) => [entry.clientId, entry]));
  const put = after.entries.filter((entry) => {
    const known = old.get(entry.clientId);
    return known === undefined || (known.state === "failed") !== (entry.state === "failed");
  });
  for (const entry of after.entries) old.delete(entry.clientId);
  return { put, gone: [...old.keys()] };
}
