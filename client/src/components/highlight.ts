/** Loaded with the first block of code that names its language: it is bigger than half of the page. */
import { common, createLowlight } from "lowlight";
import "./highlight.css";

/** A part of code: plain, or of a class that `highlight.css` knows. */
export type Token = string | { readonly className: string; readonly content: readonly Token[] };

type Node = ReturnType<typeof lowlight.highlight>["children"][number];

const lowlight = createLowlight(common);

/** Finds strings, comments, … in code; `null`: the language is not known. */
export function highlight(code: string, language: string): readonly Token[] | null {
  if (!lowlight.registered(language)) return null;
  return lowlight.highlight(language, code).children.map(tokenOf);
}

function tokenOf(node: Node): Token {
  if (node.type === "text") return node.value;
  if (node.type !== "element") return "";
  const names = node.properties.className;
  return {
    className: Array.isArray(names) ? names.join(" ") : "",
    content: node.children.map(tokenOf),
  };
}
