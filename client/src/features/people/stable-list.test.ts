import { expect, test } from "vitest";
import { stableList } from "./stable-list";

const users = (names: string) => [...names].map((name) => ({ id: name, name }));

test("under the pointer nobody moves: who goes stays, who comes is last", () => {
  expect(stableList(users("bdf"), users("abdf"))).toEqual(users("bdfa"));
  expect(stableList(users("bdf"), users("bf"))).toEqual(users("bdf"));
  expect(stableList(users("bdf"), users("acf"))).toEqual(users("bdfac"));
});
