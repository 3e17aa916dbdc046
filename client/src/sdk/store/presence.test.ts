import { expect, test } from "vitest";
import { applyDiff, fromSnapshot, UNKNOWN } from "./presence";

const ada = { id: "1", name: "Ada" };
const bob = { id: "2", name: "Bob" };

test("a snapshot replaces what was known, also with a lower version", () => {
  const first = fromSnapshot({ version: 9, count: 1, complete: true, online: [ada] });
  expect(first.online.has("1")).toBe(true);
  const second = fromSnapshot({ version: 1, count: 1, complete: true, online: [bob] });
  expect([...second.online.keys()]).toEqual(["2"]);
});

test("differences join and leave", () => {
  let presence = fromSnapshot({ version: 1, count: 1, complete: true, online: [ada] });
  presence = applyDiff(presence, { version: 5, count: 1, joins: [bob], leaves: ["1"] });
  expect([...presence.online.values()]).toEqual([bob]);
  expect(presence.version).toBe(5);
});

test("an old difference changes nothing", () => {
  const presence = fromSnapshot({ version: 5, count: 1, complete: true, online: [ada] });
  expect(applyDiff(presence, { version: 5, count: 0, joins: [], leaves: ["1"] })).toBe(presence);
  expect(applyDiff(presence, { version: 4, count: 0, joins: [], leaves: ["1"] })).toBe(presence);
});

test("who is away is known until they are back, gone or here anew", () => {
  const snapshot = { version: 1, count: 2, complete: true, online: [ada, bob], away: ["1"] };
  let presence = fromSnapshot(snapshot);
  expect([...presence.away]).toEqual(["1"]);
  const { online } = presence;
  const none = { joins: [], leaves: [] };
  presence = applyDiff(presence, { version: 2, count: 2, ...none, away: ["2"], back: ["1"] });
  expect([...presence.away]).toEqual(["2"]);
  expect(presence.online).toBe(online);
  presence = applyDiff(presence, { version: 3, count: 1, joins: [], leaves: ["2"] });
  expect(presence.away.size).toBe(0);
  presence = applyDiff(presence, { version: 4, count: 2, joins: [bob], leaves: [], away: ["2"] });
  expect([...presence.away]).toEqual(["2"]);
  presence = applyDiff(presence, { version: 5, count: 2, joins: [bob], leaves: [] });
  expect(presence.away.size).toBe(0);
});

test("a bare count keeps the people", () => {
  const crowd = fromSnapshot({ version: 1, count: 3_999, complete: false, online: [ada] });
  const presence = applyDiff(crowd, { version: 2, count: 4_000, joins: [], leaves: [] });
  expect(presence.count).toBe(4_000);
  expect(presence.online).toBe(crowd.online);
  expect(presence.away).toBe(crowd.away);
});

test("what is not known is not nobody, and no difference makes it known", () => {
  expect(UNKNOWN.count).toBeNull();
  expect(applyDiff(UNKNOWN, { version: 1, count: 1, joins: [ada], leaves: [] })).toBe(UNKNOWN);
});
