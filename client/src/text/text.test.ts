import { afterEach, expect, test } from "vitest";
import { de } from "./de";
import { en } from "./en";
import { chosenOf, locale, speak, text } from "./text";

afterEach(() => speak(["en"]));

test.each([
  [["de-AT", "en"], "de-AT"],
  [["fr", "de"], "de"],
  [["en-GB", "de"], "en-GB"],
  [["fr-FR"], "en"],
  [[], "en"],
])("of %j it is %s", (languages, chosen) => {
  expect(chosenOf(languages)).toBe(chosen);
});

test("a language is spoken once it is loaded", async () => {
  expect(text).toBe(en);
  await speak(["de-AT", "en"]);
  expect(text).toBe(de);
  expect(locale).toBe("de-AT");
});

test("no text is left as it is in English, but for those that are the same", () => {
  const same = pairs(en, de).filter(([, english, german]) => english === german);
  expect(same.map(([path]) => path)).toEqual(SAME);
});

const SAME = [
  "presence.online",
  "people.title",
  "shortcuts.keys.alt",
  "shortcuts.keys.escape",
  "emoji.open",
  "emoji.title",
];

function pairs(a: object, b: object, path = ""): [string, string, string][] {
  return Object.entries(a).flatMap(([key, english]): [string, string, string][] => {
    const german: unknown = Reflect.get(b, key);
    const here = path === "" ? key : `${path}.${key}`;
    if (typeof english === "string") return [[here, english, String(german)]];
    return typeof english === "object" ? pairs(english, german as object, here) : [];
  });
}
