import { createRequire } from "node:module";
import type emojibase from "emojibase-data/en/data.json";
import type emojibaseMessages from "emojibase-data/en/messages.json";
import type { Plugin } from "vite";
import type { EmojiFile } from "../src/features/conversation/emoji/emoji-data";

const VIRTUAL = "virtual:emoji/";
/** What is a part of other emoji only: colours of skin and hair. */
const COMPONENT = "component";
const FLAGS = new Set(["country-flag", "subdivision-flag"]);

const require = createRequire(import.meta.url);
/** The names that people know from elsewhere, which are English everywhere. */
const CODES: Readonly<
  Record<string, string | readonly string[]>
> = require("emojibase-data/en/shortcodes/github.json");
/** For what those leave out. */
const FURTHER: typeof CODES = require("emojibase-data/en/shortcodes/emojibase.json");

/**
 * `virtual:emoji/<language>`: of emojibase's data what the picker needs, which is a sixth of it.
 * It is built in, as the page may ask no other server for it.
 */
export function emojiData(): Plugin {
  return {
    name: "emoji-data",
    resolveId: (id) => (id.startsWith(VIRTUAL) ? `\0${id}` : null),
    load(id) {
      if (!id.startsWith(`\0${VIRTUAL}`)) return null;
      const folder = `emojibase-data/${id.slice(VIRTUAL.length + 1)}`;
      const file = fileOf(require(`${folder}/data.json`), require(`${folder}/messages.json`));
      // Browsers read JSON faster than the program that says the same.
      return `export default JSON.parse(${JSON.stringify(JSON.stringify(file))});`;
    },
  };
}

function fileOf(emojis: typeof emojibase, messages: typeof emojibaseMessages): EmojiFile {
  const groups = messages.groups.filter(({ key }) => key !== COMPONENT);
  const shown = new Set(groups.map(({ order }) => order));
  const flags = new Set(
    messages.subgroups.filter(({ key }) => FLAGS.has(key)).map(({ order }) => order),
  );
  return {
    categories: groups.map(({ order, message }) => [order, capital(message)]),
    emojis: emojis
      .filter(({ group }) => group !== undefined && shown.has(group))
      .map(({ emoji, hexcode, label, tags = [], group = 0, subgroup = 0, version, skins }) => {
        const kind = flags.has(subgroup) ? "flag" : skins === undefined ? "" : "toned";
        return [emoji, capital(label), tags.join(" "), group, version, kind, codesOf(hexcode)];
      }),
  };
}

function codesOf(hexcode: string): string {
  return [CODES[hexcode] ?? FURTHER[hexcode] ?? []].flat().join(" ");
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
