import { expect, test } from "vitest";
import { speak } from "../text/text";
import { shortTime, timeOfDay } from "./time";

const at = (hour: number, minute: number) => new Date(2026, 10, 23, hour, minute);

test.each([
  ["en-US", at(20, 51), "8:51 PM"],
  ["en-US", at(0, 5), "12:05 AM"],
  ["en-GB", at(20, 51), "20:51"],
  ["en-GB", at(8, 5), "08:05"],
  ["de-DE", at(8, 5), "08:05"],
  ["fr-FR", at(20, 51), "8:51 PM"],
])("in %s the time is written as people there write it", async (locale, time, written) => {
  await speak([locale, "en"]);
  // Which kind of space stands before AM and PM changes with the version of Unicode's data.
  expect(timeOfDay(time.toISOString()).replace(/\s/gu, " ")).toBe(written);
});

test("the list shows the time of what is from today, as the messages do", () => {
  const now = at(23, 0);
  const message = at(8, 5).toISOString();
  expect(shortTime(message, now)).toBe(timeOfDay(message));
  expect(shortTime(message, at(23 + 24, 0))).not.toBe(timeOfDay(message));
});
