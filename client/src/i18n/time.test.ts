import { afterEach, expect, test } from "vitest";
import { loadLanguage } from "./i18n";
import { dayOf, isRecent, renewZone, shortTime, timeAgo, timeOfDay, untilTomorrow } from "./time";

const at = (hour: number, minute: number) => new Date(2026, 10, 23, hour, minute);

test.each([
  ["en-US", at(20, 51), "8:51 PM"],
  ["en-US", at(0, 5), "12:05 AM"],
  ["en-GB", at(20, 51), "20:51"],
  ["en-GB", at(8, 5), "08:05"],
  ["de-DE", at(8, 5), "08:05"],
  ["fr-FR", at(20, 51), "8:51 PM"],
])("in %s the time is written as people there write it", async (locale, time, written) => {
  await loadLanguage([locale, "en"]);
  // Which kind of space stands before AM and PM changes with the version of Unicode's data.
  expect(timeOfDay(time.toISOString()).replace(/\s/gu, " ")).toBe(written);
});

test("the list shows the time of what is from today, as the messages do", () => {
  const now = at(23, 0);
  const message = at(8, 5).toISOString();
  expect(shortTime(message, now)).toBe(timeOfDay(message));
  expect(shortTime(message, at(23 + 24, 0))).not.toBe(timeOfDay(message));
});

test.each([
  ["en-US", "Today", "Yesterday"],
  ["de-DE", "Heute", "Gestern"],
])("in %s days are called %s and %s by the calendar", async (tag, today, yesterday) => {
  await loadLanguage([tag]);
  const morning = at(0, 5);
  const iso = (hour: number, minute: number) => at(hour, minute).toISOString();
  expect(dayOf(iso(0, 1), morning)).toBe(today);
  // Ten minutes before is another day already; almost two days before is no third one.
  expect(dayOf(iso(-1, 55), morning)).toBe(yesterday);
  expect(dayOf(iso(-24, 0), at(23, 59))).toBe(yesterday);
  expect(dayOf(iso(-25, 59), at(23, 59))).not.toBe(yesterday);
  expect(shortTime(iso(-1, 55), morning)).toBe(yesterday);
  // What a clock that is ahead has written.
  expect(dayOf(iso(25, 0), morning)).not.toBe(today);
});

test("days that are an hour short or long are days", () => {
  // Wherever this runs: every day of a year, and both of its nights.
  for (let day = 1; day <= 366; day += 1) {
    const [before, after] = [new Date(2026, 0, day, 23, 59), new Date(2026, 0, day + 1, 0, 1)];
    expect(shortTime(before.toISOString(), after)).toMatch(/yesterday|gestern/i);
    expect(untilTomorrow(before)).toBe(60_000);
  }
});

test("how long ago that was is said in the unit that says enough", async () => {
  await loadLanguage(["en-US"]);
  const now = new Date("2026-03-10T12:00:00Z");
  const said = (at: string) => timeAgo(at, now);
  expect(said("2026-03-10T11:58:30Z")).toBe("1 minute ago");
  expect(said("2026-03-10T11:00:01Z")).toBe("59 minutes ago");
  expect(said("2026-03-10T09:00:00Z")).toBe("3 hours ago");
  // By the calendar of wherever this runs: two nights ago is not yesterday.
  const days = (count: number, hour: number) => new Date(2026, 2, 10 - count, hour).toISOString();
  const noon = new Date(2026, 2, 10, 12);
  expect(timeAgo(days(1, 11), noon)).toBe("yesterday");
  expect(timeAgo(days(2, 23), noon)).toBe("2 days ago");
  expect(timeAgo(days(4, 12), noon)).toBe("4 days ago");
  expect(said("2026-02-01T12:00:00Z")).toBe("Feb 1, 2026");
  expect(isRecent("2026-03-10T11:59:30Z", now)).toBe(true);
  // A clock that is behind has seen somebody in the future.
  expect(isRecent("2026-03-10T12:00:30Z", now)).toBe(true);
});

const HOME = process.env.TZ;
afterEach(() => {
  process.env.TZ = HOME ?? "UTC";
  renewZone();
});

test("after a change of the time zone times are those of the new one", async () => {
  await loadLanguage(["en-GB"]);
  process.env.TZ = "America/New_York";
  expect(renewZone()).toBe("America/New_York");
  expect(timeOfDay("2026-11-23T12:00:00Z")).toBe("07:00");
  process.env.TZ = "Asia/Tokyo";
  expect(renewZone()).toBe("Asia/Tokyo");
  expect(timeOfDay("2026-11-23T12:00:00Z")).toBe("21:00");
});
