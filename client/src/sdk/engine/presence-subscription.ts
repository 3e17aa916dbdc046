import type { Clock } from "../connection/clock";
import { type ClientFrame, type UserId, WATCH_MAX, type Watch } from "../protocol/generated";
import type { ConversationSummary } from "../store/state";
import type { StateStore } from "../store/store";

/** While a list scrolls, people appear in bursts: one frame names them all. */
const SETTLE_MS = 200;

/** Subscribes to the presence of the users that this page shows. */
export class PresenceSubscription {
  private onScreen: readonly UserId[] = [];
  private sent = "";
  private cancelTimer: (() => void) | null = null;

  constructor(
    private readonly store: StateStore,
    private readonly clock: Clock,
    private readonly send: (frame: ClientFrame) => boolean,
  ) {}

  /** The subscription for `hello`, or for the first `watch` after `resync`. */
  announce(): Watch {
    const watch = this.current();
    this.sent = JSON.stringify(watch);
    return watch;
  }

  show(users: readonly UserId[]): void {
    this.onScreen = users;
    this.refresh();
  }

  /** Sends what changed, except while the server sends everyone's presence anyway. */
  refresh(): void {
    if (this.cancelTimer !== null || this.store.get().presence.complete) return;
    this.cancelTimer = this.clock.after(SETTLE_MS, () => {
      this.cancelTimer = null;
      this.update();
    });
  }

  private update(): void {
    const watch = this.current();
    const sent = JSON.stringify(watch);
    if (sent !== this.sent && this.send({ type: "watch", ...watch })) this.sent = sent;
  }

  /** The partner in the open conversation, users on screen, then the members of all conversations. */
  private current(): Watch {
    const { conversations, auth, open } = this.store.get();
    const me = auth.kind === "active" ? auth.me.id : null;
    const front = open === null ? undefined : conversations.get(open);
    const users = new Set<UserId>([
      ...membersOf(front),
      ...this.onScreen,
      ...[...conversations.values()].flatMap(membersOf),
    ]);
    return { list: true, users: [...users].filter((id) => id !== me).slice(0, WATCH_MAX) };
  }
}

function membersOf(conversation: ConversationSummary | undefined): UserId[] {
  return conversation?.members.map((member) => member.user.id) ?? [];
}
