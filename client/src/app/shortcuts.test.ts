import { describe, expect, test } from "vitest";
import { actionOf, neighbour, type Press } from "./shortcuts";

const press = (key: string, ...held: (keyof Press)[]): Press => ({
  key,
  code: "",
  altKey: false,
  ctrlKey: false,
  metaKey: false,
  shiftKey: false,
  isComposing: false,
  ...Object.fromEntries(held.map((name) => [name, true])),
});

test.each([
  [press("k", "ctrlKey"), "switch"],
  [press("K", "metaKey"), "switch"],
  [{ ...press("л", "ctrlKey"), code: "KeyK" }, "switch"],
  [press("ArrowDown", "altKey"), "next"],
  [press("ArrowUp", "altKey"), "previous"],
  [press("ArrowDown", "altKey", "shiftKey"), "nextUnread"],
  [press("ArrowUp", "altKey", "shiftKey"), "previousUnread"],
] as const)("%j is %j, also while a text is written", (pressed, action) => {
  expect(actionOf(pressed, "elsewhere")).toBe(action);
  expect(actionOf(pressed, "text")).toBe(action);
});

test.each([
  [press("?", "shiftKey"), "help"],
  [press("/"), "search"],
  [press("Escape"), "back"],
] as const)("%j is %j, but not within a text", (pressed, action) => {
  expect(actionOf(pressed, "elsewhere")).toBe(action);
  expect(actionOf(pressed, "text")).toBeNull();
  expect(actionOf(pressed, "empty field")).toBe(action === "back" ? action : null);
});

test("what is typed anywhere is to be written, unless a field has it", () => {
  for (const key of ["a", "É", "я", "5", "Dead"]) {
    expect(actionOf(press(key), "elsewhere"), key).toBe("write");
    expect(actionOf(press(key), "empty field"), key).toBeNull();
  }
});

test.each([
  press(" "),
  press("Enter"),
  press("F5"),
  press("k", "ctrlKey", "shiftKey"),
  press("k", "ctrlKey", "metaKey"),
  press("k", "ctrlKey", "altKey"),
  press("ArrowDown"),
  press("ArrowDown", "altKey", "ctrlKey"),
  press("ArrowLeft", "altKey"),
  press("?", "altKey"),
  press("Escape", "isComposing"),
])("%j is nothing", (pressed) => {
  expect(actionOf(pressed, "elsewhere")).toBeNull();
});

describe("the neighbour in the list", () => {
  const list = [
    { id: "a", unread: 1 },
    { id: "b", unread: 0 },
    { id: "c", unread: 0 },
    { id: "d", unread: 2 },
  ];

  test("is the next, and none beyond the ends", () => {
    expect(neighbour(list, "a", 1, false)).toBe("b");
    expect(neighbour(list, "b", -1, false)).toBe("a");
    expect(neighbour(list, "a", -1, false)).toBeNull();
    expect(neighbour(list, "d", 1, false)).toBeNull();
  });

  test("of none is the first or the last", () => {
    expect(neighbour(list, null, 1, false)).toBe("a");
    expect(neighbour(list, null, -1, false)).toBe("d");
    expect(neighbour([], null, 1, false)).toBeNull();
  });

  test("with something unread is searched all around", () => {
    expect(neighbour(list, "b", 1, true)).toBe("d");
    expect(neighbour(list, "d", 1, true)).toBe("a");
    expect(neighbour(list, "a", -1, true)).toBe("d");
    expect(neighbour(list, "c", -1, true)).toBe("a");
    expect(neighbour(list, null, -1, true)).toBe("d");
    expect(neighbour(list.slice(1, 3), "b", 1, true)).toBeNull();
  });
});
