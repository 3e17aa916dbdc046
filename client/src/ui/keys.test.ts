import { expect, test } from "vitest";
import { signOf } from "./keys";

test.each([
  ["k", "KeyK", "k"],
  ["K", "KeyK", "k"],
  ["л", "KeyK", "k"],
  ["Л", "KeyK", "k"],
  ["и", "KeyB", "b"],
  ["ι", "KeyI", "i"],
  ["ק", "KeyE", "e"],
  ["لا", "KeyB", "b"],
  ["ㅏ", "KeyK", "k"],
  ["ก", "KeyD", "d"],
  ["Unidentified", "KeyB", "b"],
  ["", "KeyB", "b"],
  ["ı", "KeyI", "i"],
  ["é", "KeyE", "é"],
  ["Enter", "Enter", "enter"],
])("%s on %s is %s", (key, code, sign) => {
  expect(signOf({ key, code, shiftKey: false })).toBe(sign);
});

test("on a Latin layout the letter counts, wherever it is", () => {
  expect(signOf({ key: "k", code: "KeyV", shiftKey: false })).toBe("k");
  expect(signOf({ key: "t", code: "KeyK", shiftKey: false })).toBe("t");
  expect(signOf({ key: ";", code: "KeyQ", shiftKey: false })).toBe(";");
  expect(signOf({ key: "/", code: "KeyQ", shiftKey: false })).toBe("/");
});

test("the signs that are shortcuts are found as well", () => {
  expect(signOf({ key: "ฝ", code: "Slash", shiftKey: false })).toBe("/");
  expect(signOf({ key: "ฦ", code: "Slash", shiftKey: true })).toBe("?");
  expect(signOf({ key: "؟", code: "KeyQ", shiftKey: true })).toBe("?");
});
