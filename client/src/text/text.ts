import { en, type Texts } from "./en";

/** The languages besides English, loaded when they are needed. */
const OTHERS: ReadonlyMap<string, () => Promise<Texts>> = new Map([
  ["de", async () => (await import("./de")).de],
]);

/** All texts, in the language that was chosen; English before that. */
export let text: Texts = en;

/** How dates and numbers are written: the reader's own way of that language, when it is known. */
export let locale = "en";

/** The first of the reader's languages that there are texts in; English otherwise. */
export function chosenOf(languages: readonly string[]): string {
  const known = (tag: string) => tag === "en" || OTHERS.has(tag);
  return languages.find((tag) => known(languageOf(tag))) ?? "en";
}

/** Chooses the language, before anything is shown. */
export async function speak(languages: readonly string[]): Promise<void> {
  const chosen = chosenOf(languages);
  const load = OTHERS.get(languageOf(chosen));
  if (load === undefined) {
    locale = chosen;
    return;
  }
  try {
    text = await load();
    locale = chosen;
  } catch {
    // A page that cannot load them now is better in English than not at all.
  }
}

function languageOf(tag: string): string {
  return tag.split("-", 1)[0]?.toLowerCase() ?? "";
}
