import { expect, test } from "vitest";
import { addressOf, routeOf } from "./address";

const ID = "0199aaaa-0000-7000-8000-000000000001";

test("an address names its conversation", () => {
  expect(routeOf(addressOf(ID))).toBe(ID);
  expect(routeOf(addressOf(null))).toBeNull();
});

test.each(["", "#", "#/c/", "#/c/../x", `#/c/${ID}/x`, "#/c/<script>", `#/d/${ID}`])(
  "%s names none",
  (hash) => {
    expect(routeOf(hash)).toBeNull();
  },
);
