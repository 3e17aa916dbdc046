import { expect, test } from "vitest";
import { addressOf, isKnown, routeOf } from "./address";

const ID = "0199aaaa-0000-7000-8000-000000000001";

test("an address names its conversation", () => {
  expect(routeOf(addressOf(ID))).toEqual({ conversation: ID, message: null });
  expect(routeOf(addressOf(ID, 123))).toEqual({ conversation: ID, message: 123 });
  expect(routeOf(addressOf(null))).toBeNull();
});

test("the list has an address, and what leads nowhere is known to", () => {
  for (const hash of ["", "#", "#/", addressOf(ID)]) expect(isKnown(hash)).toBe(true);
  for (const hash of ["#/c/", "#/c/x", "#/settings", "#top"]) expect(isKnown(hash)).toBe(false);
});

test.each([
  "",
  "#",
  "#/c/",
  "#/c/../x",
  `#/c/${ID}/x`,
  `#/c/${ID}/`,
  `#/c/${ID}/0`,
  `#/c/${ID}/1e3`,
  `#/c/${ID}/${10 ** 15}`,
  "#/c/<script>",
  `#/d/${ID}`,
])("%s names none", (hash) => {
  expect(routeOf(hash)).toBeNull();
});
