/** The time of day as people who read that language write it; by default, the browser's. */
export const clockOf = (locale?: string) => new Intl.DateTimeFormat(locale, { timeStyle: "short" });

const clock = clockOf();
const weekday = new Intl.DateTimeFormat(undefined, { weekday: "short" });
const date = new Intl.DateTimeFormat(undefined, { dateStyle: "medium" });
const fullDay = new Intl.DateTimeFormat(undefined, { dateStyle: "full" });
const full = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "medium" });

const WEEK_MS = 6 * 24 * 60 * 60 * 1_000;

export const timeOfDay = (at: string) => clock.format(new Date(at));
export const exactTime = (at: string) => full.format(new Date(at));
export const dayOf = (at: string) => fullDay.format(new Date(at));

/** As short as it is plain: the time today, the weekday this week, else the date. */
export function shortTime(at: string, now = new Date()): string {
  const then = new Date(at);
  if (then.toDateString() === now.toDateString()) return clock.format(then);
  const age = now.getTime() - then.getTime();
  return age > 0 && age < WEEK_MS ? weekday.format(then) : date.format(then);
}
