import { describe, expect, test } from "vitest";
import type { ConversationSummary } from "../../sdk/store/state";
import { fitOf } from "./folding";
import { type Candidate, candidatesOf, ranked } from "./ranking";

test.each([
  ["Ada", "", 0],
  ["Ada Lovelace", "ada l", 0],
  ["Ada Lovelace", " LOVE", 1],
  ["mary-ann", "ann", 1],
  ["Ada Lovelace", "lace", 2],
  ["Tomás", "tomas", 0],
  ["Ｔomas", "tom", 0],
  ["Иван Петров", "пет", 1],
  ["Łucja Ångström", "lucja ang", 0],
  ["Søren Kierkegaard", "KIERK", 1],
  ["Weiß", "weiss", 0],
  ["Þóra Ægisdóttir", "aegis", 1],
  ["Ὀδυσσεύς", "οδυσσευσ", 0],
  ["राम", "रीम", null],
  ["Ada", "adam", null],
])("%j fits %j: %j", (name, search, fit) => {
  expect(fitOf(name, search)).toBe(fit);
});

const user = (name: string) => ({ id: name.toLowerCase(), name });

const candidate = (name: string, more: Partial<Candidate> = {}): Candidate => ({
  user: user(name),
  conversation: null,
  at: "",
  unread: 0,
  online: false,
  ...more,
});

describe("the order", () => {
  const names = (candidates: readonly Candidate[], search: string) =>
    ranked(candidates, search).map((each) => each.user.name);

  test("is that of the fit first", () => {
    const recent = { at: "2026-11-23T12:00:00.000Z", online: true };
    const all = [candidate("Susan", recent), candidate("Jo Ann", recent), candidate("Anna")];
    expect(names(all, "an")).toEqual(["Anna", "Jo Ann", "Susan"]);
  });

  test("then of the last message, of presence, of the name", () => {
    const all = [
      candidate("Zoe"),
      candidate("Bea"),
      candidate("Yan", { online: true }),
      candidate("Ada", { at: "2026-11-22T12:00:00.000Z" }),
      candidate("Eve", { at: "2026-11-23T12:00:00.000Z" }),
    ];
    expect(names(all, "")).toEqual(["Eve", "Ada", "Yan", "Bea", "Zoe"]);
  });
});

test("everybody is there once, oneself for notes", () => {
  const [ada, bob, eve] = [user("Ada"), user("Bob"), user("Eve")];
  const conversation: ConversationSummary = {
    id: "c",
    members: [ada, bob].map((each) => ({ user: each, delivered: 0, read: 0 })),
    last: null,
    unread: 2,
  };
  const online = new Map([ada, bob].map((each) => [each.id, each]));
  const found = [bob, eve].map((each) => ({ ...each, online: true }));
  const all = (complete: boolean) => candidatesOf([conversation], { online, complete }, found, ada);
  const known = [
    candidate("Bob", { conversation: "c", unread: 2, online: true }),
    candidate("Ada", { online: true }),
  ];
  // Who was online when found may have gone since; in a crowd that is all that is known.
  expect(all(true)).toEqual([...known, candidate("Eve")]);
  expect(all(false)).toEqual([...known, candidate("Eve", { online: true })]);
});
