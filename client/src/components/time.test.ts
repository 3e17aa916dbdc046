import { expect, test } from "vitest";
import { speak } from "../text/text";
import { isRecent, shortTime, timeAgo, timeOfDay } from "./time";

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

test("how long ago that was is said in the unit that says enough", async () => {
  await speak(["en-US"]);
  const now = new Date("2026-03-10T12:00:00Z");
  const said = (at: string) => timeAgo(at, now);
  expect(said("2026-03-10T11:58:30Z")).toBe("1 minute ago");
  expect(said("2026-03-10T11:00:01Z")).toBe("59 minutes ago");
  expect(said("2026-03-10T09:00:00Z")).toBe("3 hours ago");
  expect(said("2026-03-09T11:59:00Z")).toBe("yesterday");
  expect(said("2026-03-06T12:00:00Z")).toBe("4 days ago");
  expect(said("2026-02-01T12:00:00Z")).toBe("Feb 1, 2026");
  expect(isRecent("2026-03-10T11:59:30Z", now)).toBe(true);
  // A clock that is behind has seen somebody in the future.
  expect(isRecent("2026-03-10T12:00:30Z", now)).toBe(true);
});
