import { expect, test } from "vitest";
import { titleFor } from "./title";

test("the title counts what is unread, up to the bound", () => {
  expect(titleFor(0, null)).toBe("Tidings");
  expect(titleFor(3, null)).toBe("(3) Tidings");
  expect(titleFor(100, null)).toBe("(99+) Tidings");
  expect(titleFor(2_000, null)).toBe("(99+) Tidings");
});

test("the title names the conversation in front", () => {
  expect(titleFor(0, "Ada")).toBe("Ada – Tidings");
  expect(titleFor(2, "Ada")).toBe("(2) Ada – Tidings");
});
