import fc from "fast-check";
import { expect, test } from "vitest";
import { cover, type Log, noteKnown, restartLog } from "../../../sdk/timeline/log";
import type { Position } from "./anchor";
import { at, held, message, pageOf, see, view } from "./fixtures";
import { canRead, open, type Place, reduce, type ScrollEvent, type Step } from "./scroll-state";
import type { View } from "./view";

/** A conversation whose reader sees ten messages at a time, each 100 px high. */
class Reader {
  step: Step;
  read: number;
  /** What was in view while nothing moved, or passed over by choice. */
  readonly seen = new Set<number>();
  private from = 1;

  constructor(
    private end: number,
    read: number,
    place: Place | null = null,
  ) {
    this.read = read;
    for (let seq = 1; seq <= read; seq += 1) this.seen.add(seq);
    this.step = open(this.view(held(Math.max(0, end - 100), end)), place);
    this.perform();
    this.settle();
  }

  view(log: Log, more: Partial<View> = {}): View {
    return view(log, this.read, { unread: Math.min(100, log.known - this.read), ...more });
  }

  get state() {
    return this.step[0];
  }

  dispatch(event: ScrollEvent) {
    this.step = reduce(this.state, event);
    this.perform();
  }

  private perform() {
    for (const effect of this.step[1]) {
      if (effect.type === "load around") this.load(effect.seq);
    }
  }

  private load(seq: number | null) {
    const { log } = this.state.view;
    const to = Math.min(this.end, (seq ?? this.end) + 50);
    this.dispatch(see(this.view(restartLog(log, pageOf(Math.max(1, to - 99), to, this.end)))));
  }

  newer() {
    const { log } = this.state.view;
    if (log.detached)
      this.dispatch(
        see(this.view(cover(log, pageOf(log.end + 1, Math.min(this.end, log.end + 50), this.end)))),
      );
  }

  /** Messages arrive, one by one. */
  more(count: number) {
    for (let come = 0; come < count; come += 1) {
      this.arrives();
      this.settle();
    }
  }

  /** Messages arrive while the page is hidden. */
  hidden(count: number) {
    for (let come = 0; come < count; come += 1) this.arrives();
    this.dispatch({ type: "shown" });
  }

  private arrives() {
    this.end += 1;
    const { log } = this.state.view;
    const { detached, end } = log;
    this.dispatch(
      see(this.view(detached ? noteKnown(log, this.end) : cover(log, pageOf(end + 1, end + 1)))),
    );
  }

  /** What the shell does with `hold`: shows what the state says, then says that nothing moves. */
  settle() {
    const { at: where, view: seen } = this.state;
    const { log } = seen;
    if (where.is === "opening") return;
    const row = where.is === "moving" ? where.to.row : null;
    if (row !== null) this.from = row - log.firstIndex + log.base + 1;
    else if (where.is === "at-end") this.from = log.end - 9;
    this.dispatch({ type: "settled", position: this.position() });
    if (this.state.at.is === "at-end") this.from = this.state.view.log.end - 9;
    this.look();
  }

  scroll(by: number) {
    const up = by < 0;
    for (let left = Math.abs(by); left > 0; left -= 5) {
      this.from += up ? -Math.min(5, left) : Math.min(5, left);
      this.clamp();
      this.dispatch({ type: "input" });
      this.dispatch({ type: "scrolled", position: this.position(), up });
      this.look();
    }
  }

  private clamp() {
    const { log } = this.state.view;
    this.from = Math.max(log.base + 1, Math.min(this.from, Math.max(log.base + 1, log.end - 9)));
  }

  private position(): Position {
    this.clamp();
    const { log } = this.state.view;
    return at(
      Math.max(0, (log.end - this.from - 9) * 100),
      log.firstIndex + this.from - log.base - 1,
    );
  }

  /** What is in view counts as read where the state says so. */
  private look() {
    if (this.state.at.is === "opening" || this.state.at.is === "moving") return;
    this.clamp();
    const to = Math.min(this.state.view.log.end, this.from + 9);
    for (let seq = this.from; seq <= to; seq += 1) this.seen.add(seq);
    if (!canRead(this.state) || to <= this.read) return;
    this.read = to;
    this.dispatch(see(this.view(this.state.view.log)));
  }

  /** The reader chooses the end, and with it to pass over what is before. */
  toEnd() {
    this.dispatch({ type: "to end" });
    this.settle();
    for (let seq = 1; seq <= this.read; seq += 1) this.seen.add(seq);
  }
}

test("whatever happens, nothing is read that was not in view", () => {
  const step = fc.oneof(
    fc.record({ do: fc.constant("scroll" as const), by: fc.integer({ min: -200, max: 200 }) }),
    fc.record({ do: fc.constant("jump" as const), by: fc.integer({ min: 1, max: 900 }) }),
    fc.record({ do: fc.constant("hidden" as const), by: fc.integer({ min: 1, max: 30 }) }),
    fc.record({ do: fc.constant("more" as const), by: fc.integer({ min: 1, max: 30 }) }),
    fc.constantFrom(
      { do: "back" as const, by: 0 },
      { do: "end" as const, by: 0 },
      { do: "newer" as const, by: 0 },
      { do: "resized" as const, by: 0 },
    ),
  );
  fc.assert(
    fc.property(
      fc.integer({ min: 100, max: 800 }),
      fc.nat(800),
      fc.array(step, { maxLength: 30 }),
      (end, read, steps) => {
        const reader = new Reader(end, Math.min(read, end));
        for (const { do: what, by } of steps) {
          if (what === "scroll") reader.scroll(by);
          else if (what === "jump") reader.dispatch({ type: "jump", seq: by });
          else if (what === "more") reader.more(by);
          else if (what === "hidden") reader.hidden(by);
          else if (what === "newer") reader.newer();
          else if (what === "end") reader.toEnd();
          else if (what === "back") reader.dispatch({ type: "back" });
          else reader.dispatch({ type: "resized" });
          reader.settle();
          const { state } = reader;
          expect(state.at.is).not.toBe("opening");
          expect(state.at.is === "at-end" && state.view.log.detached).toBe(false);
          const unseen = Array.from({ length: reader.read }, (_, n) => n + 1).filter(
            (seq) => message(seq).sender !== "ada" && !reader.seen.has(seq),
          );
          expect(unseen).toEqual([]);
        }
      },
    ),
    { numRuns: 1_000 },
  );
});
