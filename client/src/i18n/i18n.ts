import { en, type Texts } from "./en";
import type { LazyTexts } from "./en-lazy";

/** A language: its texts, and those of what the page loads later. */
interface Language {
  readonly load: () => Promise<Texts>;
  readonly loadLazy: () => Promise<LazyTexts>;
}

/** The languages besides English, loaded when they are needed. */
const OTHERS: ReadonlyMap<string, Language> = new Map([
  [
    "de",
    {
      load: async () => (await import("./de")).de,
      loadLazy: async () => (await import("./de-lazy")).deLazy,
    },
  ],
]);

/** Loads the texts of what the page loads later, in the chosen language. */
export let loadLazyTexts = async (): Promise<LazyTexts> => (await import("./en-lazy")).enLazy;

/** All texts in the chosen language; in English until one is loaded. */
export let text: Texts = en;

/** The texts of what is loaded later, once they are loaded; see `withLazyTexts`. */
export let lazyText: LazyTexts;

/** The locale of dates and numbers: the reader's own variant of the language, if it is known. */
export let locale = "en";

/** The first of the reader's languages that is translated; English if none is. */
export function preferredLocale(languages: readonly string[]): string {
  const known = (tag: string) => tag === "en" || OTHERS.has(tag);
  return tagOf(languages.find((tag) => known(languageOf(tag))) ?? "en");
}

/** Loads the texts of the reader's language, before anything is shown. */
export async function loadLanguage(languages: readonly string[]): Promise<void> {
  const chosen = preferredLocale(languages);
  const language = OTHERS.get(languageOf(chosen));
  if (language === undefined) {
    locale = chosen;
    return;
  }
  try {
    text = await language.load();
    loadLazyTexts = language.loadLazy;
    locale = chosen;
  } catch {
    // A page in English is better than none.
  }
}

/** Loads `lazyText` along with a part of the page that needs it. */
export async function withLazyTexts<Part>(part: Promise<Part>): Promise<Part> {
  const [loaded, texts] = await Promise.all([part, loadLazyTexts()]);
  lazyText = texts;
  return loaded;
}

function languageOf(tag: string): string {
  return /^[a-z]*/i.exec(tag)?.[0].toLowerCase() ?? "";
}

/**
 * A browser may take its languages from the environment, where `en_US.UTF-8@posix` is
 * valid. `Intl` throws at what is not a language tag.
 */
function tagOf(language: string): string {
  const tag = language.replace(/[.@].*$/s, "").replaceAll("_", "-");
  try {
    return Intl.getCanonicalLocales(tag)[0] ?? "en";
  } catch {
    return languageOf(language);
  }
}
