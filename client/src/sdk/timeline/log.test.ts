import fc from "fast-check";
import { expect, test } from "vitest";
import type { Event, History } from "../protocol/generated";
import { isMessage, isPin, type Message, type Numbered } from "../protocol/message";
import {
  cover,
  hasGap,
  indexOf,
  type Log,
  lacksPins,
  messagesAfter,
  noteKnown,
  notePins,
  OUT_OF_ORDER_MAX,
  place,
  placeAll,
  restartLog,
  startLog,
  trim,
} from "./log";
import { NO_PINS, pinnedIn, withPin } from "./pins";

const header = (seq: number) => ({
  conversation: "c",
  seq,
  sender: "u",
  client_id: `e${seq}`,
  at: new Date(Date.UTC(2026, 10, 23) + seq * 1_000).toISOString(),
});

function message(seq: number): Message {
  return { ...header(seq), kind: "message", body: `text ${seq}` };
}

function pin(seq: number, target: number, on = true): Event {
  return { ...header(seq), kind: "pin", target, on };
}

const hidden = (seq: number): Numbered => ({ conversation: "c", seq });

function messages(from: number, to: number): Message[] {
  return Array.from({ length: to - from + 1 }, (_, index) => message(from + index));
}

/** A page of a log that has these events, with its messages from one number to another. */
function pageOf(events: readonly Numbered[], from: number, to: number): History {
  const within = events.filter(({ seq }) => seq >= from && seq <= to);
  const last = events.at(-1);
  return {
    messages: within.filter(isMessage),
    from,
    to,
    last_seq: last?.seq ?? 0,
    // The server has a time for what it hides, too.
    last_at: last === undefined ? null : header(last.seq).at,
  };
}

/** What is pinned after the first `count` events. */
function pinsAt(events: readonly Numbered[], count: number): readonly number[] {
  return events.slice(0, count).filter(isPin).reduce(withPin, []);
}

/** A log as it begins when the server describes its conversation: at its end, after `base`. */
function described(events: readonly Numbered[], base: number): Log {
  return notePins(startLog(base), pinsAt(events, events.length), events.length);
}

const seqs = (log: Log) => log.messages.map((held) => held.seq);

function checkInvariants(log: Log): void {
  const numbers = seqs(log);
  expect(numbers.every((seq) => seq > log.base && seq <= log.end)).toBe(true);
  expect(numbers.every((seq, index) => index === 0 || seq > (numbers[index - 1] ?? 0))).toBe(true);
  expect(log.known).toBeGreaterThanOrEqual(log.end);
  expect(log.unseen).toBeLessThanOrEqual(log.end);
  expect(log.outOfOrder.size).toBeLessThanOrEqual(OUT_OF_ORDER_MAX);
  expect([...log.outOfOrder.keys()].every((seq) => seq > log.end + 1)).toBe(true);
  if (!lacksPins(log)) expect(log.pins.changes).toEqual([]);
}

/** Any log of at most `size` events: messages, pins of messages before them, and what is not shown. */
function logs(size: number): fc.Arbitrary<Numbered[]> {
  const kinds = fc.tuple(fc.nat(9), fc.nat(), fc.boolean());
  return fc.array(kinds, { minLength: 1, maxLength: size }).map((all) => {
    const events: Numbered[] = [];
    for (const [kind, dice, on] of all) {
      const seq = events.length + 1;
      const targets = events.filter(isMessage);
      const target = targets[dice % Math.max(1, targets.length)]?.seq;
      if (kind < 5 || (kind < 9 && target === undefined)) events.push(message(seq));
      else if (kind < 9 && target !== undefined) events.push(pin(seq, target, on));
      else events.push(hidden(seq));
    }
    return events;
  });
}

/** All numbers from 1 to `last`, in any order. */
function shuffled(last: number): fc.Arbitrary<number[]> {
  const all = Array.from({ length: last }, (_, index) => index + 1);
  return fc.shuffledSubarray(all, { minLength: last, maxLength: last });
}

test("what is known is dropped, what is next applied, what is beyond kept aside", () => {
  let log = place(startLog(4), message(5));
  expect(place(log, message(5))).toBe(log);
  expect(place(log, message(3))).toBe(log);
  log = place(log, message(7));
  expect(log.end).toBe(5);
  expect(hasGap(log)).toBe(true);
  log = place(log, message(6));
  expect(log.end).toBe(7);
  expect(hasGap(log)).toBe(false);
});

test("a change, and what is hidden, take their numbers and are no messages", () => {
  const log = placeAll(startLog(0), [message(1), pin(2, 1), hidden(3), message(4)]);
  expect(log.end).toBe(4);
  expect(seqs(log)).toEqual([1, 4]);
  expect(pinnedIn(log.pins)).toEqual([1]);
});

test("the time at the end is that of the event there, where it is known", () => {
  let log = placeAll(startLog(0), [message(1), pin(2, 1)]);
  expect(log.endAt).toBe(header(2).at);
  log = place(log, hidden(3));
  expect(log.endAt).toBeNull();
  log = place(log, message(4));
  expect(log.endAt).toBe(header(4).at);
  const events = [message(1), message(2), pin(3, 1), pin(4, 1), hidden(5)];
  expect(cover(startLog(0), pageOf(events, 1, 2)).endAt).toBe(header(2).at);
  expect(cover(startLog(0), pageOf(events, 1, 3)).endAt).toBeNull();
  expect(cover(startLog(0), pageOf(events, 1, 5)).endAt).toBe(header(5).at);
  const ahead = placeAll(startLog(0), [message(6)]);
  expect(cover(ahead, pageOf(events, 1, 5)).endAt).toBe(header(6).at);
});

test("e06, f24: any order of live, doubled and replayed events equals a cold load", () => {
  const deliveries = logs(60).chain((events) =>
    fc.record({
      events: fc.constant(events),
      base: fc.integer({ min: 0, max: events.length }),
      describedAt: fc.integer({ min: 0, max: events.length }),
      noise: fc.array(fc.array(fc.integer({ min: 1, max: events.length }), { maxLength: 5 })),
      order: shuffled(events.length),
    }),
  );
  fc.assert(
    fc.property(deliveries, ({ events, base, describedAt, noise, order }) => {
      const { length } = events;
      const event = (seq: number) => events[seq - 1] ?? hidden(seq);
      // The page begins at `base`, and was told of the pins there or later.
      const asOf = Math.max(base, describedAt);
      let log = notePins(startLog(base), pinsAt(events, asOf), asOf);
      for (const batch of noise) {
        log = placeAll(log, batch.map(event));
        checkInvariants(log);
      }
      for (const seq of order) {
        log = place(log, event(seq));
        checkInvariants(log);
      }
      const cold = cover(described(events, base), pageOf(events, base + 1, length));
      expect(log.messages).toEqual(cold.messages);
      expect(pinnedIn(log.pins)).toEqual(pinnedIn(cold.pins));
      expect([log.end, log.known]).toEqual([cold.end, cold.known]);
      expect([hasGap(log), lacksPins(log), lacksPins(cold)]).toEqual([false, false, false]);
    }),
  );
});

test("e06: pages of history among events equal a cold load once the pins are told again", () => {
  const steps = logs(40).chain((events) => {
    const number = fc.integer({ min: 1, max: events.length });
    const base = fc.integer({ min: 0, max: events.length });
    const page = fc.tuple(fc.constant("page" as const), number, number);
    const some = fc.tuple(fc.constant("event" as const), number, number);
    const describe = fc.tuple(fc.constant("describe" as const), number, number);
    return fc.record({
      events: fc.constant(events),
      base,
      steps: fc.array(fc.oneof(page, some, describe)),
    });
  });
  fc.assert(
    fc.property(steps, ({ events, base, steps }) => {
      const { length } = events;
      let log = notePins(startLog(base), pinsAt(events, base), base);
      for (const [step, a, b] of steps) {
        const [from, to] = [Math.min(a, b), Math.max(a, b)];
        if (step === "page") log = cover(log, pageOf(events, from, to));
        else if (step === "describe") log = notePins(log, pinsAt(events, to), to);
        else log = place(log, events[a - 1] ?? hidden(a));
        checkInvariants(log);
        expect(log.messages).toEqual(pageOf(events, log.base + 1, log.end).messages);
        // What it says of the pins is right, or it knows that changes may be missing.
        if (!lacksPins(log)) {
          const { asOf } = log.pins;
          expect(pinnedIn(log.pins)).toEqual(pinsAt(events, asOf));
          expect(asOf).toBeGreaterThanOrEqual(log.end);
        }
      }
      log = cover(log, pageOf(events, 1, length));
      // The description is as old as what this client has not seen, and older than what it has.
      const asOf = Math.max(log.unseen, log.pins.asOf);
      log = notePins(log, pinsAt(events, asOf), asOf);
      expect(pinnedIn(log.pins)).toEqual(pinsAt(events, length));
      expect([log.base, log.end, lacksPins(log)]).toEqual([0, length, false]);
      expect(log.messages).toEqual(events.filter(isMessage));
    }),
  );
});

test("history and live messages meet in any interleaving", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 80 }),
      fc.integer({ min: 1, max: 20 }),
      fc.array(fc.boolean(), { minLength: 100, maxLength: 100 }),
      (start, page, turns) => {
        let log = startLog(start);
        let live = start;
        for (const older of turns) {
          if (older) {
            const from = Math.max(1, log.base - page + 1);
            log = cover(log, pageOf(messages(1, live), from, log.base));
          } else {
            live += 1;
            log = place(log, message(live));
          }
          checkInvariants(log);
        }
        expect(log.end).toBe(live);
        expect(seqs(log)).toEqual(messages(log.base + 1, live).map(({ seq }) => seq));
      },
    ),
  );
});

test("a page that does not touch the run adds nothing to it", () => {
  const all = messages(1, 20);
  const log = noteKnown(placeAll(startLog(10), messages(11, 12)), 20);
  expect(cover(log, pageOf(all, 3, 8))).toBe(log);
  const beyond = cover(log, pageOf(all, 15, 16));
  expect([beyond.base, beyond.end]).toEqual([10, 12]);
  expect(place(place(beyond, message(13)), message(14)).end).toBe(16);
  expect(seqs(cover(log, pageOf(all, 9, 12)))).toEqual([9, 10, 11, 12]);
  expect(cover(startLog(0), pageOf([], 1, 0))).toEqual(startLog(0));
});

test("a page without messages extends the run over the changes that it covers", () => {
  const events = [message(1), ...Array.from({ length: 9 }, (_, index) => pin(index + 2, 1))];
  const log = cover(place(startLog(0), message(1)), pageOf(events, 2, 10));
  expect([log.end, hasGap(log), log.messages.length]).toEqual([10, false, 1]);
  const above = cover(place(startLog(10), message(11)), pageOf(events, 5, 10));
  expect([above.base, above.messages.length]).toEqual([4, 1]);
});

test("changes that a page covers are missing until the conversation is described again", () => {
  const events = [message(1), pin(2, 1), message(3)];
  let log = cover(place(startLog(0), message(1)), pageOf(events, 2, 3));
  expect(lacksPins(log)).toBe(true);
  expect(lacksPins(notePins(log, [], 1)), "by what was known before them").toBe(true);
  log = place(log, pin(4, 3));
  expect(pinnedIn(log.pins), "as far as is known").toEqual([3]);
  log = notePins(log, [1], 3);
  expect(pinnedIn(log.pins), "what came after the description stays").toEqual([1, 3]);
  expect(lacksPins(log)).toBe(false);
});

test("changes that came before the page that covers them are not missing", () => {
  const events = [message(1), pin(2, 1), message(3)];
  let log = place(startLog(0), pin(2, 1));
  log = cover(log, pageOf(events, 1, 3));
  expect([lacksPins(log), pinnedIn(log.pins)]).toEqual([false, [1]]);
});

test("an older description does not bring back what has changed since", () => {
  const log = placeAll(notePins(startLog(1), [1], 1), [pin(2, 1, false)]);
  expect(notePins(log, [1], 1)).toBe(log);
  expect(pinnedIn(notePins(log, [1], 3).pins)).toEqual([1]);
  // A replay from before the description changes nothing.
  const ahead = notePins(startLog(1), [5, 4], 9);
  expect(pinnedIn(placeAll(ahead, [pin(2, 1), pin(3, 5, false)]).pins)).toEqual([5, 4]);
});

test("a log that begins again keeps its pins, and knows that changes may be missing", () => {
  const page = pageOf(messages(1, 5_010), 5_001, 5_010);
  const log = restartLog(notePins(startLog(0), [1], 3), page);
  expect(log).toMatchObject({ base: 5_000, end: 5_010, run: 1, detached: false });
  expect([log.pins.listed, lacksPins(log)]).toEqual([[1], true]);
  expect(lacksPins(notePins(log, [], 5_010))).toBe(false);
});

test("a log around an old message is detached until it has come to the end", () => {
  const all = messages(1, 30);
  const held = cover(startLog(29), pageOf(all, 30, 30));
  const log = restartLog(held, pageOf(all, 5, 14));
  expect(log).toMatchObject({ base: 4, end: 14, known: 30, detached: true });
  expect(restartLog(log, pageOf(all, 21, 30))).toMatchObject({ base: 20, run: 2, detached: false });
  const live = placeAll(log, [message(31), pin(32, 1)]);
  expect(live).toMatchObject({ end: 14, known: 32, detached: true });
  expect(lacksPins(live), "the run may never come to the pin").toBe(true);
  expect(pinnedIn(live.pins), "which shows at once").toEqual([1]);
  const met = cover(live, pageOf(all, 15, 30));
  expect(met).toMatchObject({ base: 4, end: 32, detached: false });
  expect(met.messages).toHaveLength(27);
  expect(pinnedIn(met.pins)).toEqual([1]);
});

test("a trimmed log goes on, and its history can be loaded again", () => {
  const log = trim(placeAll(startLog(0), messages(1, 100)), 10);
  expect(log.base).toBe(90);
  expect(place(log, message(101)).end).toBe(101);
  expect(cover(log, pageOf(messages(1, 100), 81, 90)).base).toBe(80);
  expect(trim(log, 10)).toBe(log);
  const sparse = placeAll(startLog(0), [message(1), message(2), hidden(3), pin(4, 1), message(5)]);
  expect(trim(sparse, 1)).toMatchObject({ base: 2, end: 5, messages: [{ seq: 5 }] });
});

test("a message keeps its index when others come before it, after it, or are dropped", () => {
  const all: Numbered[] = [...messages(1, 30), pin(31, 1), ...messages(32, 40)];
  let log = placeAll(startLog(30), all);
  const index = indexOf(log, 35);
  log = cover(log, pageOf(all, 11, 30));
  expect([indexOf(log, 35), indexOf(log, 30)]).toEqual([index, (index ?? 0) - 4]);
  log = trim(place(log, message(41)), 8);
  expect([indexOf(log, 35), log.firstIndex]).toEqual([index, (index ?? 0) - 1]);
  expect([indexOf(log, 31), indexOf(log, 30)]).toEqual([null, null]);
});

test("messages after a number are found wherever changes are between them", () => {
  const log = placeAll(startLog(2), [message(3), pin(4, 3), message(5), hidden(6), message(7)]);
  const after = (seq: number) => messagesAfter(log, seq).map((held) => held.seq);
  expect([1, 3, 4, 5, 6, 7].map(after)).toEqual([[3, 5, 7], [5, 7], [5, 7], [7], [7], []]);
});

test("a number that is only known shows a gap", () => {
  const log = noteKnown(startLog(0), 3);
  expect(hasGap(log)).toBe(true);
  expect(hasGap(placeAll(log, messages(1, 3)))).toBe(false);
});

test("what waits behind a gap is bounded", () => {
  const log = placeAll(startLog(0), messages(2, OUT_OF_ORDER_MAX + 100));
  checkInvariants(log);
  expect(hasGap(placeAll(log, messages(1, 500)))).toBe(true);
  expect(placeAll(log, messages(1, OUT_OF_ORDER_MAX + 100)).end).toBe(OUT_OF_ORDER_MAX + 100);
});

test("nothing is pinned in a log that was never described", () => {
  expect(startLog(7).pins).toBe(NO_PINS);
  expect([lacksPins(startLog(7)), lacksPins(startLog(0))]).toEqual([true, false]);
});
