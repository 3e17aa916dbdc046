import { locale } from "./i18n";

/** Cached: looking it up takes longer than formatting a time. */
let zone = zoneNow();

/** Updates the cached time zone of the reader, and returns it. */
export function renewZone(): string {
  zone = zoneNow();
  return zone;
}

function zoneNow(): string {
  return new Intl.DateTimeFormat().resolvedOptions().timeZone;
}

/** Caches a format for each language and time zone: making one takes longer than using it. */
function format(options: Intl.DateTimeFormatOptions): () => Intl.DateTimeFormat {
  let made: { readonly for: string; readonly format: Intl.DateTimeFormat } | undefined;
  return () => {
    const reader = `${locale} ${zone}`;
    if (made?.for !== reader)
      made = { for: reader, format: new Intl.DateTimeFormat(locale, options) };
    return made.format;
  };
}

const clock = format({ timeStyle: "short" });
const weekday = format({ weekday: "short" });
const date = format({ dateStyle: "medium" });
const utcDate = format({ dateStyle: "medium", timeZone: "UTC" });
const fullDay = format({ dateStyle: "full" });
const full = format({ dateStyle: "full", timeStyle: "medium" });

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
/** From this many days on, a weekday would be ambiguous. */
const WEEK_DAYS = 6;

export const timeOfDay = (at: string) => clock().format(new Date(at));
/** Formats a day such as `2026-11-29`, whatever the time zone. */
export const dateOf = (day: string) => utcDate().format(new Date(`${day}T00:00:00Z`));
export const exactTime = (at: string) => full().format(new Date(at));

/** The name of a day: today, yesterday, or else its date. */
export function dayOf(at: string, now = new Date()): string {
  const then = new Date(at);
  const ago = daysBetween(then, now);
  return ago === 0 || ago === 1 ? capital(daysAgo(ago)) : fullDay().format(then);
}

/** A short time: the time if today, "Yesterday", the weekday within a week, or else the date. */
export function shortTime(at: string, now = new Date()): string {
  const then = new Date(at);
  const ago = daysBetween(then, now);
  if (ago === 0) return clock().format(then);
  if (ago === 1) return capital(daysAgo(1));
  return ago > 0 && ago < WEEK_DAYS ? weekday().format(then) : date().format(then);
}

/** The days between two times in the reader's calendar, whatever the length of a day. */
function daysBetween(then: Date, now: Date): number {
  const number = (day: Date) => Date.UTC(day.getFullYear(), day.getMonth(), day.getDate()) / DAY_MS;
  return number(now) - number(then);
}

/** The milliseconds until the next day begins in the reader's time zone. */
export function untilTomorrow(now: Date): number {
  const tomorrow = new Date(now.getFullYear(), now.getMonth(), now.getDate() + 1);
  return tomorrow.getTime() - now.getTime();
}

const relative = () => new Intl.RelativeTimeFormat(locale, { numeric: "auto" });
const daysAgo = (days: number) => relative().format(-days, "day");

function capital(text: string): string {
  return text.charAt(0).toLocaleUpperCase(locale) + text.slice(1);
}

/** Whether that was less than a minute ago. */
export const isRecent = (at: string, now: Date) => now.getTime() - Date.parse(at) < MINUTE_MS;

/** How long ago a time was, in minutes, hours or days; the date if it was longer ago. */
export function timeAgo(at: string, now: Date): string {
  const age = Math.max(0, now.getTime() - Date.parse(at));
  const days = daysBetween(new Date(at), now);
  if (days >= WEEK_DAYS) return date().format(new Date(at));
  if (age >= DAY_MS) return daysAgo(days);
  return age < HOUR_MS
    ? relative().format(-Math.floor(age / MINUTE_MS), "minute")
    : relative().format(-Math.floor(age / HOUR_MS), "hour");
}
