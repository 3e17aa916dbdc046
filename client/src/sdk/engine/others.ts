import type { PresenceDiff, ServerFrame } from "../protocol/generated";
import type { Clock } from "./clock";
import type { EngineEvent, StateStore } from "./model";
import { isNews } from "./presence";

/** What is to be noted of other people, besides what a frame itself says. */
export class Others {
  constructor(
    private readonly store: StateStore,
    private readonly clock: Clock,
    /** RFC 3339. */
    private readonly timestamp: () => string,
    private readonly dispatch: (event: EngineEvent) => void,
  ) {}

  /** A frame is about to be taken in. */
  hear(frame: ServerFrame): void {
    if (frame.type === "typing") this.forgetTyping();
    if (frame.type === "presence_diff") this.noteLeaving(frame);
  }

  /** Nobody says that they have stopped. */
  private forgetTyping(): void {
    const { typing_expiry_ms } = this.store.get().limits;
    const forget = () => this.dispatch({ type: "quiet", now: this.clock.now() });
    this.clock.after(typing_expiry_ms, forget);
  }

  /** The server says who leaves, and not when: now, to the second. */
  private noteLeaving(diff: PresenceDiff): void {
    const { presence } = this.store.get();
    if (diff.leaves.length === 0 || !isNews(presence, diff)) return;
    this.dispatch({ type: "leaving", users: diff.leaves, at: this.timestamp() });
  }
}
