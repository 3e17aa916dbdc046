import { locale } from "../text/text";

/** Made once for each look and language: making one takes longer than using it. */
function format(options: Intl.DateTimeFormatOptions): () => Intl.DateTimeFormat {
  let made: { readonly in: string; readonly format: Intl.DateTimeFormat } | undefined;
  return () => {
    if (made?.in !== locale)
      made = { in: locale, format: new Intl.DateTimeFormat(locale, options) };
    return made.format;
  };
}

const clock = format({ timeStyle: "short" });
const weekday = format({ weekday: "short" });
const date = format({ dateStyle: "medium" });
const fullDay = format({ dateStyle: "full" });
const full = format({ dateStyle: "full", timeStyle: "medium" });

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const WEEK_MS = 6 * DAY_MS;

export const timeOfDay = (at: string) => clock().format(new Date(at));
export const exactTime = (at: string) => full().format(new Date(at));
export const dayOf = (at: string) => fullDay().format(new Date(at));

/** As short as it is plain: the time today, the weekday this week, else the date. */
export function shortTime(at: string, now = new Date()): string {
  const then = new Date(at);
  if (then.toDateString() === now.toDateString()) return clock().format(then);
  const age = now.getTime() - then.getTime();
  return age > 0 && age < WEEK_MS ? weekday().format(then) : date().format(then);
}

/** Whether that was less than a minute ago. */
export const isRecent = (at: string, now: Date) => now.getTime() - Date.parse(at) < MINUTE_MS;

/** How long ago that was, in the unit that says enough: minutes, hours, days; later the date. */
export function timeAgo(at: string, now: Date): string {
  const age = Math.max(0, now.getTime() - Date.parse(at));
  if (age >= WEEK_MS) return date().format(new Date(at));
  const [unit, length] =
    age < HOUR_MS
      ? (["minute", MINUTE_MS] as const)
      : age < DAY_MS
        ? (["hour", HOUR_MS] as const)
        : (["day", DAY_MS] as const);
  return new Intl.RelativeTimeFormat(locale, { numeric: "auto" }).format(
    -Math.floor(age / length),
    unit,
  );
}
