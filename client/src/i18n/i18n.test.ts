import { afterEach, expect, test } from "vitest";
import { de } from "./de";
import { deLazy } from "./de-lazy";
import { en } from "./en";
import { enLazy } from "./en-lazy";
import { lazyText, loadLanguage, locale, preferredLocale, text, withLazyTexts } from "./i18n";

afterEach(() => loadLanguage(["en"]));

test.each([
  [["de-AT", "en"], "de-AT"],
  [["fr", "de"], "de"],
  [["en-GB", "de"], "en-GB"],
  [["fr-FR"], "en"],
  [[], "en"],
  [["en-US@posix"], "en-US"],
  [["de-DE@euro", "en"], "de-DE"],
  [["de_AT.UTF-8"], "de-AT"],
  [["en-"], "en"],
  [["en-x", "de"], "en"],
  [["de-1"], "de"],
  [["C"], "en"],
  [["", "*", "de"], "de"],
])("of %j it is %s", (languages, chosen) => {
  expect(preferredLocale(languages)).toBe(chosen);
});

test("a language is spoken once it is loaded", async () => {
  expect(text).toBe(en);
  await loadLanguage(["de-AT", "en"]);
  expect(text).toBe(de);
  expect(locale).toBe("de-AT");
  expect(await withLazyTexts(Promise.resolve("a part"))).toBe("a part");
  expect(lazyText).toBe(deLazy);
});

test("no text is left as it is in English, but for those that are the same", () => {
  const same = [...pairs(en, de), ...pairs(enLazy, deLazy)].filter(
    ([, english, german]) => english === german,
  );
  expect(same.map(([path]) => path)).toEqual(SAME);
});

const SAME = [
  "presence.online",
  "presence.gone",
  "people.title",
  "emoji.open",
  "emoji.title",
  "shortcuts.keys.alt",
  "shortcuts.keys.escape",
];

function pairs(a: object, b: object, path = ""): [string, string, string][] {
  return Object.entries(a).flatMap(([key, english]): [string, string, string][] => {
    const german: unknown = Reflect.get(b, key);
    const here = path === "" ? key : `${path}.${key}`;
    if (typeof english === "string") return [[here, english, String(german)]];
    return typeof english === "object" ? pairs(english, german as object, here) : [];
  });
}

test("a refusal says which rule is broken", () => {
  expect(de.problem("invalid_name", "This name is reserved.", "reserved")).toBe(
    "Dieser Name ist reserviert.",
  );
  expect(de.problem("invalid_password", "Too common.", "common")).toContain("häufigsten");
  expect(de.problem("invalid_name", "Another rule.")).toContain("2 bis 32 Zeichen");
  expect(en.problem("invalid_name", "This name is reserved.", "reserved")).toBe(
    "This name is reserved.",
  );
});

test("a pin that is refused says why in every language", () => {
  expect(enLazy.pins.refused("too_many_pins")).toContain("Only 50 messages");
  expect(deLazy.pins.refused("too_many_pins")).toContain("nur 50 Nachrichten");
  expect(enLazy.pins.refused("not_found")).toContain("doesn't exist");
  expect(deLazy.pins.refused("not_found")).toContain("gibt es nicht mehr");
  expect([enLazy.pins.refused("internal"), deLazy.pins.refused("internal")]).toEqual([null, null]);
});

test("what is left of somebody is counted", () => {
  expect(enLazy.logIn.left.what(1, 2, "Ada")).toContain("2 unsent messages and 1 draft from Ada");
  expect(deLazy.logIn.left.what(2, 0, "Ada")).toContain("2 Entwürfe von Ada");
  expect(deLazy.sessions.named("Firefox", "Linux")).toBe("Firefox unter Linux");
  expect(enLazy.sessions.named(undefined, undefined)).toBe("Unknown device");
});
