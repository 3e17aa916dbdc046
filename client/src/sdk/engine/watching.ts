import type { ClientFrame, UserId, Watch } from "../protocol/generated";
import type { Clock } from "./clock";
import { type Chat, type StateStore, WATCH_MAX } from "./model";

/** People come on screen in bursts while a list scrolls: one frame tells them all. */
const SETTLE_MS = 200;

/** Tells the server whose presence this page shows. */
export class Watching {
  private onScreen: readonly UserId[] = [];
  private told = "";
  private cancelTimer: (() => void) | null = null;

  constructor(
    private readonly store: StateStore,
    private readonly clock: Clock,
    private readonly send: (frame: ClientFrame) => boolean,
  ) {}

  /** What `hello` says, or says again after `resync`. */
  announce(): Watch {
    const watch = this.current();
    this.told = JSON.stringify(watch);
    return watch;
  }

  show(users: readonly UserId[]): void {
    this.onScreen = users;
    this.refresh();
  }

  /** Tells what changed, where it makes a difference: not while everyone is told of everyone. */
  refresh(): void {
    if (this.cancelTimer !== null || this.store.get().presence.complete) return;
    this.cancelTimer = this.clock.after(SETTLE_MS, () => {
      this.cancelTimer = null;
      this.tell();
    });
  }

  private tell(): void {
    const watch = this.current();
    const told = JSON.stringify(watch);
    if (told !== this.told && this.send({ type: "watch", ...watch })) this.told = told;
  }

  /** Who is in front, those on screen, then the people of all conversations. */
  private current(): Watch {
    const { chats, stage, open } = this.store.get();
    const me = stage.kind === "active" ? stage.me.id : null;
    const front = open === null ? undefined : chats.get(open);
    const users = new Set<UserId>([
      ...membersOf(front),
      ...this.onScreen,
      ...[...chats.values()].flatMap(membersOf),
    ]);
    return { list: true, users: [...users].filter((id) => id !== me).slice(0, WATCH_MAX) };
  }
}

function membersOf(chat: Chat | undefined): UserId[] {
  return chat?.members.map((member) => member.user.id) ?? [];
}
