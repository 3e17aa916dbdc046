import { expect, test } from "vitest";
import { type Marking, marked } from "./marking";

/** Brackets stand for the selection, before and after. */
function mark(text: string, marking: Marking): string {
  const [start, end] = [text.indexOf("["), text.indexOf("]") - 1];
  const value = text.replace("[", "").replace("]", "");
  const edit = marked(value, start, end, marking);
  const next = value.slice(0, edit.from) + edit.text + value.slice(edit.to);
  const { selectFrom, selectTo } = edit;
  return `${next.slice(0, selectFrom)}[${next.slice(selectFrom, selectTo)}]${next.slice(selectTo)}`;
}

test.each<[string, Marking, string]>([
  ["a [b] c", "bold", "a **[b]** c"],
  ["a **[b]** c", "bold", "a [b] c"],
  ["a [**b**] c", "bold", "a [b] c"],
  ["a [b ]c", "italic", "a _[b]_ c"],
  ["**[b]**", "italic", "**_[b]_**"],
  ["_[b]_", "bold", "_**[b]**_"],
  ["[]", "bold", "**[]**"],
  ["**[]**", "bold", "[]"],
  ["a [ ]b", "code", "a `[ ]`b"],
  ["[let a]", "code", "`[let a]`"],
  ["[a\n\n b ]", "bold", "[**a**\n\n **b**] "],
  ["[a\nb]", "code", "```\n[a\nb]\n```"],
  ["[**]", "bold", "**[**]**"],
])("%j, %s: %j", (text, marking, expected) => {
  expect(mark(text, marking)).toBe(expected);
});
