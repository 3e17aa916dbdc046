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

const WEEK_MS = 6 * 24 * 60 * 60 * 1_000;

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
