import { expect, test } from "vitest";
import { titleFor } from "./title";

test("the title counts what is unread, up to the bound", () => {
  expect(titleFor(0)).toBe("Tidings");
  expect(titleFor(3)).toBe("(3) Tidings");
  expect(titleFor(100)).toBe("(99+) Tidings");
  expect(titleFor(2_000)).toBe("(99+) Tidings");
});
