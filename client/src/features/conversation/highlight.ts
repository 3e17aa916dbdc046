/** Loaded with the first code block that names a language, since it is half as large as the page. */
import { common, createLowlight } from "lowlight";
import "./highlight.css";

/** A token of code: plain text, or with a class of `highlight.css`. */
export type Token = string | { readonly className: string; readonly content: readonly Token[] };

type Node = ReturnType<typeof lowlight.highlight>["children"][number];

const lowlight = createLowlight(common);

/** Tokenises code into strings, comments, …; returns `null` if the language is unknown. */
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
