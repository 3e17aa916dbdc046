import fc from "fast-check";
import { expect, test } from "vitest";
import type { Code } from "../protocol/generated";
import {
  due,
  EMPTY_OUTBOX,
  type Entry,
  enqueue,
  markSent,
  type Outbox,
  refuse,
  remove,
  resendAll,
  retry,
} from "./outbox";

function entry(clientId: string, conversation = "c"): Entry {
  const writtenAt = "2026-11-23T19:00:00.000Z";
  const content = { kind: "message", body: clientId } as const;
  return { clientId, conversation, content, writtenAt, state: "waiting" };
}

function pin(clientId: string): Entry {
  return { ...entry(clientId), content: { kind: "pin", target: 7, on: true } };
}

function filled(...ids: string[]): Outbox {
  return enqueue(
    EMPTY_OUTBOX,
    ids.map((id) => entry(id)),
  );
}

function send(outbox: Outbox, window = 32, now = 0): [Outbox, string[]] {
  const chosen = due(outbox, window, now);
  return [markSent(outbox, chosen), chosen.map((sent) => sent.clientId)];
}

function error(client_id: string, code: Code, retry_after_ms?: number) {
  const wait = retry_after_ms === undefined ? {} : { retry_after_ms };
  return { client_id, code, message: "A sentence.", ...wait };
}

test("at most the window is unanswered, oldest first", () => {
  let [outbox, sent] = send(filled("1", "2", "3", "4"), 2);
  expect(sent).toEqual(["1", "2"]);
  [outbox, sent] = send(outbox, 2);
  expect(sent).toEqual([]);
  [outbox, sent] = send(remove(outbox, "1"), 2);
  expect(sent).toEqual(["3"]);
});

test("one refused for now goes again with those behind it, after the wait", () => {
  let [outbox] = send(filled("1", "2", "3"));
  outbox = refuse(outbox, error("1", "rate_limited", 700), 100);
  expect(send(outbox, 32, 799)[1]).toEqual([]);
  expect(send(outbox, 32, 800)[1]).toEqual(["1", "2", "3"]);
});

test("other conversations keep what is in flight until it is refused itself", () => {
  const outbox = enqueue(filled("1"), [entry("2", "d")]);
  const refused = refuse(send(outbox)[0], error("1", "busy"), 0);
  expect(refused.entries.map((e) => e.state)).toEqual(["waiting", "sent"]);
});

test("a final error fails that message and holds up no other", () => {
  let [outbox] = send(filled("1", "2"), 1);
  outbox = refuse(outbox, error("1", "text_too_long"), 0);
  expect(outbox.entries[0]).toMatchObject({ state: "failed", reason: "A sentence." });
  expect(send(outbox, 1)[1]).toEqual(["2"]);
});

test("a change that is refused for good is an entry no more, and holds up no other", () => {
  let [outbox] = send(enqueue(EMPTY_OUTBOX, [pin("1"), entry("2")]), 1);
  outbox = refuse(outbox, error("1", "too_many_pins"), 0);
  expect(outbox.entries.map((e) => e.clientId)).toEqual(["2"]);
  expect(outbox.refused).toEqual({
    ...pin("1"),
    state: "failed",
    code: "too_many_pins",
    reason: "A sentence.",
  });
  expect(send(outbox, 1)[1]).toEqual(["2"]);
});

test("a change that is refused for now goes again in its turn, as a message does", () => {
  let [outbox] = send(enqueue(EMPTY_OUTBOX, [entry("1"), pin("2"), entry("3")]));
  outbox = refuse(outbox, error("2", "busy", 700), 0);
  expect(outbox.refused).toBeNull();
  expect(send(outbox, 32, 700)[1]).toEqual(["2", "3"]);
});

test("another try keeps the name, unless the name was taken", () => {
  let [outbox] = send(filled("1", "2"));
  outbox = refuse(outbox, error("1", "not_found"), 0);
  outbox = refuse(outbox, error("2", "id_reused"), 0);
  outbox = retry(retry(outbox, "1", "x"), "2", "y");
  expect(outbox.entries.map((e) => [e.clientId, e.state])).toEqual([
    ["1", "waiting"],
    ["y", "waiting"],
  ]);
  expect(retry(outbox, "1", "z")).toBe(outbox);
});

test("after a reconnect everything unanswered goes again, in order, without a pause", () => {
  let [outbox] = send(filled("1", "2", "3"), 2);
  outbox = refuse(outbox, error("2", "storage_unavailable", 60_000), 0);
  expect(send(resendAll(outbox), 32, 1)[1]).toEqual(["1", "2", "3"]);
});

test("an entry taken over twice is there once", () => {
  const outbox = filled("1");
  expect(enqueue(outbox, [entry("1")])).toBe(outbox);
});

/** A server that stores in order of arrival and refuses some for now. */
test("everything is stored once and in order, whatever is refused or cut", () => {
  const steps = fc.array(fc.constantFrom("store", "refuse", "cut"), { maxLength: 80 });
  fc.assert(
    fc.property(steps, fc.integer({ min: 1, max: 8 }), (script, window) => {
      const ids = Array.from({ length: 12 }, (_, index) => `${index}`);
      const some = ids.map((id, index) => (index % 3 === 0 ? pin(id) : entry(id)));
      let outbox = enqueue(EMPTY_OUTBOX, some);
      let flight: string[] = [];
      const stored: string[] = [];
      let now = 0;
      const step = (what: string) => {
        const [next, sent] = send(outbox, window, now);
        outbox = next;
        flight.push(...sent);
        expect(flight.length).toBeLessThanOrEqual(window);
        const id = flight.shift();
        if (what === "cut") {
          outbox = resendAll(outbox);
          flight = [];
        } else if (id !== undefined && what === "refuse") {
          // The server refuses the whole burst: what follows one refused is refused too.
          for (const refused of [id, ...flight]) {
            outbox = refuse(outbox, error(refused, "busy", 10), now);
          }
          flight = [];
        } else if (id !== undefined) {
          if (!stored.includes(id)) stored.push(id);
          outbox = remove(outbox, id);
        }
        now += 10;
      };
      for (const what of script) step(what);
      for (let rest = 0; rest < 40; rest += 1) step("store");
      expect(stored).toEqual(ids);
      expect(outbox.entries).toEqual([]);
    }),
  );
});
