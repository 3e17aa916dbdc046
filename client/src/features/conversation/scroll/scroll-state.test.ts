import { describe, expect, test } from "vitest";
import { cover, noteKnown, restartLog, startLog } from "../../../sdk/timeline/log";
import { at, FAR, held, pageOf, rowOf, see, through, view } from "./fixtures";
import {
  CONTEXT,
  canRead,
  open,
  placeOf,
  reduce,
  type ScrollEvent,
  type Step,
} from "./scroll-state";

/** A list that stands at the end of messages 1 to 100, all read. */
const standing = () =>
  through(open(view(held(0, 100), 100), null), { type: "settled", position: at(0) });

/** A list in which the reader has scrolled up to message 50. */
function reading(read = 100): Step {
  const start = through(open(view(held(0, 100), read), null), {
    type: "settled",
    position: at(FAR),
  });
  const row = rowOf(start[0], 50);
  return through(start, { type: "input" }, { type: "scrolled", position: at(FAR, row), up: true });
}

describe("opening", () => {
  test("shows the end if nothing is unread", () => {
    const [state, effects] = open(view(held(0, 100), 100), null);
    expect(state).toMatchObject({ at: { is: "at-end", fromEnd: 0 }, due: null, fresh: null });
    expect(effects).toEqual([{ type: "hold" }]);
    expect(canRead(state)).toBe(true);
  });

  test("goes to the first unread message of others, with some of what is read above", () => {
    const [state] = open(view(held(0, 100), 69), null);
    // 70 is Ada's own.
    const to = { row: rowOf(state, 71), part: 0, y: CONTEXT };
    expect(state).toMatchObject({ at: { is: "moving", to }, fresh: 71 });
    expect(canRead(state), "on the way nothing is read").toBe(false);
    const [there] = reduce(state, { type: "settled", position: at(FAR, rowOf(state, 71)) });
    expect(there.at.is).toBe("reading");
    expect(canRead(there)).toBe(true);
  });

  test("loads what is around the first unread message, once, and opens there", () => {
    const first = open(view(held(900, 1_000), 200), null);
    expect(first[0].at.is).toBe("opening");
    expect(first[1]).toEqual([{ type: "load around", seq: 201 }]);
    const [waiting, again] = reduce(first[0], see(view(held(890, 1_000), 200)));
    expect(again).toEqual([]);
    const log = restartLog(waiting.view.log, pageOf(152, 250, 1_000));
    const [state, effects] = reduce(waiting, see(view(log, 200)));
    expect(state).toMatchObject({
      at: { is: "moving", to: { row: rowOf(state, 201) } },
      due: null,
    });
    expect(effects).toEqual([{ type: "hold" }]);
  });

  test("waits while the run is filled, and asks for nothing", () => {
    const log = noteKnown(held(50, 60), 100);
    const first = open(view(log, 50), null);
    expect([first[0].at.is, first[1]]).toEqual(["opening", []]);
    const [state] = reduce(first[0], see(view(held(50, 100), 50)));
    expect(state.at).toMatchObject({ is: "moving", to: { row: rowOf(state, 51) } });
  });

  test("a timeout shows what is held, of which nothing counts as read, and goes on later", () => {
    const start = open(view(held(900, 1_000), 200), null);
    const [shown] = through(start, { type: "timeout" }, { type: "settled", position: at(FAR) });
    expect(shown.at).toMatchObject({ is: "reading", anchor: { row: rowOf(shown, 901) } });
    expect(canRead(shown)).toBe(false);
    const log = restartLog(shown.view.log, pageOf(152, 250, 1_000));
    const [state] = through([shown, []], see(view(log, 200)));
    expect(state.at).toMatchObject({ is: "moving", to: { row: rowOf(state, 201) } });
    const [touched] = reduce(shown, { type: "input" });
    expect(touched.due, "the reader has taken over").toBeNull();
  });

  test("a timeout shows nothing where nothing is held", () => {
    const [state] = through(open(view(startLog(9), 2, { unread: 7 }), null), { type: "timeout" });
    expect(state.at.is).toBe("opening");
  });

  test("scrolling, sizes and rendering change nothing", () => {
    const start = open(view(held(900, 1_000), 200), null);
    const events: ScrollEvent[] = [
      { type: "scrolled", position: at(0), up: false },
      { type: "settled", position: at(0) },
      { type: "resized" },
      { type: "grown" },
      { type: "input" },
      { type: "rendered", above: 0, below: 0 },
    ];
    for (const event of events) expect(reduce(start[0], event)).toEqual([start[0], []]);
  });
});

describe("at the end", () => {
  test("the end is followed when rows grow, and when the list is resized", () => {
    for (const type of ["grown", "resized"] as const) {
      const [state, effects] = through(standing(), { type });
      expect([state.at.is, effects]).toEqual(["at-end", [{ type: "hold" }]]);
    }
  });

  test("a new message brings a reader a little above it to the end", () => {
    const up = through(standing(), { type: "scrolled", position: at(43), up: true });
    expect(up[0].at).toEqual({ is: "at-end", fromEnd: 43 });
    const [state] = through(up, see(view(held(0, 101), 100)));
    expect(state.at).toEqual({ is: "at-end", fromEnd: 0 });
  });

  test("a list outrun by new rows follows them; a reader who goes up leaves", () => {
    const outrun = { type: "scrolled", position: at(FAR, 7), up: false } as const;
    expect(through(standing(), outrun)[1]).toEqual([{ type: "hold" }]);
    expect(through(standing(), { ...outrun, up: true })[0].at.is).toBe("reading");
  });

  test("what came while the page was hidden is gone to when it is visible again", () => {
    const hidden = through(standing(), see(view(held(0, 140), 100)));
    const [state] = through(hidden, { type: "shown" });
    expect(state.at).toMatchObject({ is: "moving", to: { row: rowOf(state, 101) } });
    expect(through(standing(), { type: "shown" })[0].at.is).toBe("at-end");
    expect(through(reading(60), { type: "shown" })[0].at.is).toBe("reading");
  });

  test("missed messages lead to the first of them, and to the end if they fit", () => {
    const away = see(view(held(0, 100), 100, { caughtUp: false }));
    const back = see(view(held(0, 140), 100));
    const [state] = through(standing(), away, back);
    expect(state.at).toMatchObject({ is: "moving", to: { row: rowOf(state, 101) } });
    const [far] = reduce(state, { type: "settled", position: at(FAR) });
    expect(far.at).toMatchObject({ is: "reading", anchor: { row: rowOf(state, 101) } });
    const [near, effects] = reduce(state, { type: "settled", position: at(43) });
    expect([near.at, effects]).toEqual([{ is: "at-end", fromEnd: 0 }, [{ type: "hold" }]]);
    expect(canRead(near)).toBe(true);
  });

  test("through a restart, own messages that wait change nothing of that", () => {
    const waiting = { written: "w1" };
    const [written] = through(standing(), see(view(held(0, 100), 100, waiting)));
    expect(written).toMatchObject({ at: { is: "at-end", fromEnd: 0 }, reads: true });
    const away = see(view(held(0, 100), 100, { ...waiting, caughtUp: false }));
    const missed = see(view(held(0, 101), 100, { ...waiting, caughtUp: false }));
    const caughtUp = see(view(held(0, 101), 100, waiting));
    const settled = { type: "settled", position: at(43) } as const;
    const sent = see(view(held(0, 102), 101));
    const [state] = through([written, []], away, missed, settled, caughtUp, settled, sent);
    expect(state.at).toEqual({ is: "at-end", fromEnd: 0 });
    expect(canRead(state)).toBe(true);
  });

  test("what was missed elsewhere in the run moves nobody who reads there", () => {
    const away = see(view(held(0, 100), 100, { caughtUp: false }));
    const [state] = through(reading(), away, see(view(held(0, 140), 100)));
    expect(state.at).toMatchObject({ is: "reading", anchor: { row: rowOf(state, 50) } });
  });

  test("a list that opened too early goes back to what was unread, unless it was touched", () => {
    const early = open(view(held(0, 100), 97, { caughtUp: false }), null);
    const shown = through(early, { type: "settled", position: at(0) });
    const missed = see(view(held(0, 140), 97));
    const [state] = through(shown, missed);
    expect(state.at).toMatchObject({ is: "moving", to: { row: rowOf(state, 98) } });
    const [touched] = through(shown, { type: "input" }, missed);
    expect(touched.at).toMatchObject({ is: "moving", to: { row: rowOf(state, 101) } });
  });

  test("the end of a detached run is not the end", () => {
    const log = restartLog(held(900, 1_000), pageOf(152, 250, 1_000));
    const start = through(open(view(log, 200), null), { type: "settled", position: at(0) });
    expect(start[0].at.is).toBe("reading");
    const row = rowOf(start[0], 240);
    const [state] = through(start, { type: "scrolled", position: at(0, row), up: false });
    expect(state.at).toMatchObject({ is: "reading", anchor: { row } });
  });
});

describe("reading", () => {
  test("older rows above keep the row in place, except for who scrolls", () => {
    const start = through(open(view(held(20, 100), 100), null), {
      type: "scrolled",
      position: at(FAR, 1_000_000_030),
      up: true,
    });
    const older = view(cover(start[0].view.log, pageOf(1, 20, 100)), 100);
    const [state, effects] = through(start, see(older));
    expect(state.at).toMatchObject({ is: "moving", to: { row: 1_000_000_030, y: 5 } });
    expect(effects).toContainEqual({ type: "hold" });
    const [same] = through(start, see(older, true));
    expect(same.at.is).toBe("reading");
    const [settled] = reduce(state, { type: "settled", position: at(FAR) });
    expect(settled.at).toMatchObject({ is: "reading", anchor: { row: 1_000_000_030, y: 5 } });
  });

  test("a resized list keeps the row in place; rows that grow move nothing", () => {
    expect(through(reading(), { type: "resized" })[0].at.is).toBe("moving");
    expect(through(reading(), { type: "grown" })[1]).toEqual([]);
  });

  test("more is loaded before either end of a detached run is in view", () => {
    const log = restartLog(held(900, 1_000), pageOf(152, 250, 1_000));
    const start = through(open(view(log, 200), null), { type: "settled", position: at(FAR) });
    const rendered = (above: number, below: number) =>
      through(start, { type: "rendered", above, below })[1].map(({ type }) => type);
    expect(rendered(40, 40)).toEqual([]);
    expect(rendered(29, 40)).toEqual(["load older"]);
    expect(rendered(40, 29)).toEqual(["load newer"]);
    expect(through(standing(), { type: "rendered", above: 0, below: 0 })[1]).toEqual([]);
  });

  test("a row that folds keeps its edge in place, and the distance from the end", () => {
    const anchor = { row: 1_000_000_099, part: 1, y: 300 };
    const [folding] = through(standing(), { type: "folding", anchor });
    expect(folding.at).toMatchObject({ is: "moving", to: anchor });
    const [state, effects] = reduce(folding, { type: "settled", position: at(30) });
    expect([state.at, effects]).toEqual([{ is: "at-end", fromEnd: 30 }, []]);
  });

  test("whoever touches a list that moves stops it", () => {
    const [moving] = open(view(held(0, 100), 69), null);
    expect(reduce(moving, { type: "input" })[0].at.is).toBe("reading");
    expect(reduce(moving, { type: "scrolled", position: at(0), up: false })[0]).toBe(moving);
  });
});

describe("jumping", () => {
  test("goes to a message that is held, shows it, and back", () => {
    const [state, effects] = through(reading(), { type: "jump", seq: 20 });
    expect(state.at).toMatchObject({ is: "moving", to: { row: rowOf(state, 20) } });
    expect(effects).toEqual([{ type: "hold" }, { type: "show", row: rowOf(state, 20) }]);
    const [back] = through([state, []], { type: "back" });
    expect(back.at).toMatchObject({ is: "moving", to: { row: rowOf(state, 50), part: 0, y: 5 } });
    expect(back.back).toBeNull();
  });

  test("goes to one far away by another run, and back by a third", () => {
    const start = through(open(view(held(900, 1_000), 1_000), null), {
      type: "scrolled",
      position: at(FAR, 1_000_000_049),
      up: true,
    });
    const [asking, load] = through(start, { type: "jump", seq: 20 });
    expect([asking.at.is, load]).toEqual(["reading", [{ type: "load around", seq: 20 }]]);
    const far = restartLog(asking.view.log, pageOf(1, 70, 1_000));
    const [there] = through([asking, []], see(view(far, 1_000)));
    expect(there.at).toMatchObject({ is: "moving", to: { row: rowOf(there, 20) } });
    expect(there.back).toMatchObject({ is: "row", seq: 950 });
    const [leaving, again] = through([there, []], { type: "back" });
    expect(again).toEqual([{ type: "load around", seq: 950 }]);
    const near = restartLog(leaving.view.log, pageOf(901, 1_000));
    const [back] = through([leaving, []], see(view(near, 1_000)));
    expect(back.at).toMatchObject({ is: "moving", to: { row: rowOf(back, 950), y: 5 } });
  });

  test("to one that does not exist goes nowhere, and says so", () => {
    const [state, effects] = through(standing(), { type: "jump", seq: 101 });
    expect([state.at.is, state.due, state.back]).toEqual(["at-end", null, null]);
    expect(effects).toEqual([{ type: "absent" }]);
  });

  test("to one that may still come waits until the page has caught up", () => {
    const behind = view(held(0, 100), 100, { caughtUp: false });
    const [state, effects] = through(open(behind, null), { type: "jump", seq: 101 });
    expect(state.due).toEqual({ is: "jump", seq: 101 });
    expect(effects).toEqual([{ type: "load around", seq: 101 }]);
    const [there] = through([state, []], see(view(held(0, 101), 100)));
    expect(there.at).toMatchObject({ is: "moving", to: { row: rowOf(there, 101) } });
  });

  test("past unread messages reads nothing, until the first of them is in view", () => {
    const past = through(
      reading(30),
      { type: "jump", seq: 80 },
      { type: "settled", position: at(FAR) },
    );
    expect(canRead(past[0])).toBe(false);
    const end = through(past, { type: "scrolled", position: at(0, rowOf(past[0], 95)), up: false });
    expect([end[0].at.is, canRead(end[0])]).toEqual(["at-end", false]);
    const up = { type: "scrolled", position: at(FAR, rowOf(past[0], 31)), up: true } as const;
    expect(canRead(through(end, up)[0])).toBe(true);
  });

  test("to the end of a detached run loads the end", () => {
    const log = restartLog(held(900, 1_000), pageOf(152, 250, 1_000));
    const start = through(open(view(log, 200), null), { type: "settled", position: at(FAR) });
    const [state, effects] = through(start, { type: "to end" });
    expect([state.at.is, effects]).toEqual(["reading", [{ type: "load around", seq: null }]]);
    const end = restartLog(log, pageOf(901, 1_000));
    const [there] = through([state, []], see(view(end, 200)));
    expect(there.at).toEqual({ is: "at-end", fromEnd: 0 });
    expect(canRead(there), "the reader chose to pass over the rest").toBe(true);
  });

  test("is not what own messages do that waited before the list opened", () => {
    const { written: _, ...opening } = view(held(0, 100), 30);
    const start = open(opening, null);
    const [state] = through(start, see(view(held(0, 100), 30, { written: "w1" })));
    expect(state.at).toMatchObject({ is: "moving", to: { row: rowOf(state, 31) } });
  });

  test("by an own new message reads nothing that it passed over", () => {
    const [state] = through(reading(30), see(view(held(0, 100), 30, { written: "w1" })));
    expect([state.at.is, canRead(state)]).toEqual(["at-end", false]);
    const visible = { type: "settled", position: at(0, rowOf(state, 31)) } as const;
    expect(canRead(through([state, []], visible)[0])).toBe(true);
  });
});

describe("switching", () => {
  const leave = ([state]: Step) => placeOf(state);

  test("whoever comes back is where they were", () => {
    const place = leave(reading());
    expect(place).toMatchObject({ is: "row", seq: 50, part: 0, y: 5 });
    const [state] = open(view(held(0, 140), 100), place);
    expect(state.at).toMatchObject({ is: "moving", to: { row: rowOf(state, 50), y: 5 } });
    const [settled] = reduce(state, { type: "settled", position: at(FAR) });
    expect(canRead(settled)).toBe(true);
  });

  test("if that is no longer held, it is loaded", () => {
    const [state, effects] = open(view(held(900, 1_000), 1_000), leave(reading()));
    expect([state.at.is, effects]).toEqual(["opening", [{ type: "load around", seq: 50 }]]);
    expect(leave([state, []]), "it is still the place").toMatchObject({ seq: 50 });
  });

  test("whoever stood at the end sees what is unread", () => {
    expect(leave(standing())).toEqual({ is: "end" });
    const [unread] = open(view(held(0, 140), 100), leave(standing()));
    expect(unread.at).toMatchObject({ is: "moving", to: { row: rowOf(unread, 101) } });
    expect(open(view(held(0, 140), 140), leave(standing()))[0].at.is).toBe("at-end");
  });

  test("a log that begins again far from the reader opens where the reader was", () => {
    const end = see(view(restartLog(held(0, 100), pageOf(4_901, 5_000)), 100));
    const [state, effects] = through(reading(), end);
    expect([state.at.is, effects]).toEqual(["opening", [{ type: "load around", seq: 50 }]]);
    const [missed, load] = through(standing(), end);
    expect([missed.at.is, load]).toEqual(["opening", [{ type: "load around", seq: 101 }]]);
  });
});
