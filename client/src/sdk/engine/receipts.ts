import type { ClientFrame, Conversation, ConversationId, UserId } from "../protocol/generated";
import type { Clock } from "./clock";

type Kind = "delivered" | "read";
const KINDS: readonly Kind[] = ["delivered", "read"];

type Marks = Record<Kind, number>;

interface Place {
  /** How far this device has got. */
  readonly reached: Marks;
  /** What was told on this connection. */
  readonly told: Marks;
  /** What the server is known to hold. */
  readonly confirmed: Marks;
  /** When something was told last, by the clock. */
  toldAt: number;
}

/**
 * Tells the server how far messages were received and shown. Positions only
 * grow; those of one conversation go out at most once per interval, so that a
 * burst of messages costs one frame.
 */
export class Receipts {
  private readonly places = new Map<ConversationId, Place>();
  private cancelTimer: (() => void) | null = null;

  /** `intervalMs` as the server's limits say now; `send` tells whether it went out. */
  constructor(
    private readonly clock: Clock,
    private readonly intervalMs: () => number,
    private readonly send: (frame: ClientFrame) => boolean,
  ) {}

  reached(conversation: ConversationId, kind: Kind, seq: number): void {
    const place = this.place(conversation);
    if (seq <= place.reached[kind]) return;
    place.reached[kind] = seq;
    this.flush();
  }

  /** The server's word on the own positions, also those that another device told. */
  confirmed(conversation: ConversationId, marks: Marks): void {
    const place = this.place(conversation);
    for (const kind of KINDS) {
      place.confirmed[kind] = Math.max(place.confirmed[kind], marks[kind]);
    }
  }

  /** What the server already knows of the own positions need not be told. */
  listed(conversations: readonly Conversation[], me: UserId | null): void {
    for (const { id, members } of conversations) {
      const own = members.find((member) => member.user.id === me);
      if (own !== undefined) this.confirmed(id, own);
    }
  }

  /** A new connection: what was told on the last one may be lost. */
  reconnected(): void {
    for (const place of this.places.values()) {
      for (const kind of KINDS) place.told[kind] = place.confirmed[kind];
    }
    this.flush();
  }

  /** Another user, another history, or a log that was undone. */
  forget(conversation?: ConversationId): void {
    if (conversation === undefined) this.places.clear();
    else this.places.delete(conversation);
  }

  private flush(): void {
    this.cancelTimer?.();
    this.cancelTimer = null;
    const now = this.clock.now();
    let wait = Number.POSITIVE_INFINITY;
    for (const [conversation, place] of this.places) {
      if (!KINDS.some((kind) => untold(place, kind))) continue;
      const rest = place.toldAt + this.intervalMs() - now;
      if (rest > 0) wait = Math.min(wait, rest);
      else this.tell(conversation, place, now);
    }
    if (wait < Number.POSITIVE_INFINITY) {
      this.cancelTimer = this.clock.after(wait, () => this.flush());
    }
  }

  private tell(conversation: ConversationId, place: Place, now: number): void {
    for (const kind of KINDS) {
      if (!untold(place, kind)) continue;
      const seq = place.reached[kind];
      // Not connected: `reconnected` tells it again.
      if (!this.send({ type: kind, conversation, seq })) return;
      place.told[kind] = seq;
      place.toldAt = now;
    }
  }

  private place(conversation: ConversationId): Place {
    const held = this.places.get(conversation);
    if (held !== undefined) return held;
    const none = () => ({ delivered: 0, read: 0 });
    const place = {
      reached: none(),
      told: none(),
      confirmed: none(),
      toldAt: Number.NEGATIVE_INFINITY,
    };
    this.places.set(conversation, place);
    return place;
  }
}

function untold(place: Place, kind: Kind): boolean {
  return place.reached[kind] > Math.max(place.told[kind], place.confirmed[kind]);
}
