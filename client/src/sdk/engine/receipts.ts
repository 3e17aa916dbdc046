import type { Clock } from "../connection/clock";
import type { ClientFrame, Conversation, ConversationId, UserId } from "../protocol/generated";

type Kind = "delivered" | "read";
const KINDS: readonly Kind[] = ["delivered", "read"];

type Marks = Record<Kind, number>;

interface Positions {
  /** The positions of this device. */
  readonly reached: Marks;
  /** What was sent on this connection. */
  readonly sent: Marks;
  /** What the server is known to have stored. */
  readonly confirmed: Marks;
  /** When something was last sent, by the clock. */
  sentAt: number;
}

/**
 * Tells the server which messages were received and read. Positions only grow.
 * Those of one conversation are sent at most once per interval, so that a burst
 * of messages costs one frame.
 */
export class Receipts {
  private readonly positions = new Map<ConversationId, Positions>();
  private cancelTimer: (() => void) | null = null;

  /** `intervalMs` returns the server's current limit; `send` returns whether the frame was sent. */
  constructor(
    private readonly clock: Clock,
    private readonly intervalMs: () => number,
    private readonly send: (frame: ClientFrame) => boolean,
  ) {}

  reached(conversation: ConversationId, kind: Kind, seq: number): void {
    const own = this.positionsOf(conversation);
    if (seq <= own.reached[kind]) return;
    own.reached[kind] = seq;
    this.flush();
  }

  /** The server has confirmed own positions, from this device or another. */
  confirmed(conversation: ConversationId, marks: Marks): void {
    const own = this.positionsOf(conversation);
    for (const kind of KINDS) {
      own.confirmed[kind] = Math.max(own.confirmed[kind], marks[kind]);
    }
  }

  /** Own positions that the server already knows need not be sent. */
  listed(conversations: readonly Conversation[], me: UserId | null): void {
    for (const { id, members } of conversations) {
      const own = members.find((member) => member.user.id === me);
      if (own !== undefined) this.confirmed(id, own);
    }
  }

  /** A new connection: what was sent on the last one may be lost. */
  reconnected(): void {
    for (const own of this.positions.values()) {
      for (const kind of KINDS) own.sent[kind] = own.confirmed[kind];
    }
    this.flush();
  }

  /** To be called for another user or epoch, or when a conversation was reset. */
  forget(conversation?: ConversationId): void {
    if (conversation === undefined) this.positions.clear();
    else this.positions.delete(conversation);
  }

  private flush(): void {
    this.cancelTimer?.();
    this.cancelTimer = null;
    const now = this.clock.now();
    let wait = Number.POSITIVE_INFINITY;
    for (const [conversation, own] of this.positions) {
      if (!KINDS.some((kind) => isUnsent(own, kind))) continue;
      const rest = own.sentAt + this.intervalMs() - now;
      if (rest > 0) wait = Math.min(wait, rest);
      else this.sendFor(conversation, own, now);
    }
    if (wait < Number.POSITIVE_INFINITY) {
      this.cancelTimer = this.clock.after(wait, () => this.flush());
    }
  }

  private sendFor(conversation: ConversationId, own: Positions, now: number): void {
    for (const kind of KINDS) {
      if (!isUnsent(own, kind)) continue;
      const seq = own.reached[kind];
      // Not connected: `reconnected` sends it again.
      if (!this.send({ type: kind, conversation, seq })) return;
      own.sent[kind] = seq;
      own.sentAt = now;
    }
  }

  private positionsOf(conversation: ConversationId): Positions {
    const held = this.positions.get(conversation);
    if (held !== undefined) return held;
    const none = () => ({ delivered: 0, read: 0 });
    const own = {
      reached: none(),
      sent: none(),
      confirmed: none(),
      sentAt: Number.NEGATIVE_INFINITY,
    };
    this.positions.set(conversation, own);
    return own;
  }
}

function isUnsent(own: Positions, kind: Kind): boolean {
  return own.reached[kind] > Math.max(own.sent[kind], own.confirmed[kind]);
}
