/** What can be done to a selection by a key. */
export type Marking = "bold" | "italic" | "code";

/** The text that replaces a range, and the selection afterwards. */
export interface Edit {
  readonly from: number;
  readonly to: number;
  readonly text: string;
  readonly selectFrom: number;
  readonly selectTo: number;
}

const MARKS: Record<Marking, string> = { bold: "**", italic: "_", code: "`" };
const FENCE = "```";

/** Puts marks around what is selected, or takes them away where they are. */
export function marked(value: string, start: number, end: number, marking: Marking): Edit {
  const [from, to] = withoutEdges(value, start, end);
  const selected = value.slice(from, to);
  if (selected.includes("\n")) return onLines(from, to, selected, marking);
  const mark = MARKS[marking];
  const { length } = mark;
  if (value.slice(from - length, from) === mark && value.slice(to, to + length) === mark) {
    return edit(from - length, to + length, "", selected, "");
  }
  const inside = selected.slice(length, -length);
  if (selected === mark + inside + mark) return edit(from, to, "", inside, "");
  return edit(from, to, mark, selected, mark);
}

/** Marks end with their line: each gets its own, and code becomes a block. */
function onLines(from: number, to: number, selected: string, marking: Marking): Edit {
  if (marking === "code") return edit(from, to, `${FENCE}\n`, selected, `\n${FENCE}`);
  const mark = MARKS[marking];
  const text = selected.replace(/\S(?:.*\S)?/g, (line) => mark + line + mark);
  return edit(from, to, "", text, "");
}

function edit(from: number, to: number, before: string, selected: string, after: string): Edit {
  const selectFrom = from + before.length;
  const selectTo = selectFrom + selected.length;
  return { from, to, text: before + selected + after, selectFrom, selectTo };
}

/** A word that is selected with the space behind it is still that word. */
function withoutEdges(value: string, start: number, end: number): readonly [number, number] {
  const selected = value.slice(start, end);
  if (selected.trim() === "") return [start, end];
  const from = start + selected.length - selected.trimStart().length;
  return [from, from + selected.trim().length];
}
