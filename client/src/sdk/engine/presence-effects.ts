import type { Clock } from "../connection/clock";
import type { PresenceDiff, ServerFrame } from "../protocol/generated";
import type { EngineEvent } from "../store/events";
import { isNews } from "../store/presence";
import type { StateStore } from "../store/store";

/** Dispatches what follows from frames about other users, besides what the frames say. */
export class PresenceEffects {
  constructor(
    private readonly store: StateStore,
    private readonly clock: Clock,
    /** RFC 3339. */
    private readonly timestamp: () => string,
    private readonly dispatch: (event: EngineEvent) => void,
  ) {}

  /** To be called before a frame is dispatched. */
  onFrame(frame: ServerFrame): void {
    if (frame.type === "typing") this.expireTyping();
    if (frame.type === "presence_diff") this.noteLeaving(frame);
  }

  /** No frame says that somebody has stopped typing: this expires. */
  private expireTyping(): void {
    const { typing_expiry_ms } = this.store.get().limits;
    const forget = () => this.dispatch({ type: "quiet", now: this.clock.now() });
    this.clock.after(typing_expiry_ms, forget);
  }

  /** The server says who leaves but not when: the time is now. */
  private noteLeaving(diff: PresenceDiff): void {
    const { presence } = this.store.get();
    if (diff.leaves.length === 0 || !isNews(presence, diff)) return;
    this.dispatch({ type: "leaving", users: diff.leaves, at: this.timestamp() });
  }
}
