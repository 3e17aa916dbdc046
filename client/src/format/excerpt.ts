import { EXCERPT_MAX_CHARS } from "../sdk/protocol/generated";
import { plainOf } from "./format";

/** The beginning of a message, on one line. */
export function excerptOf(body: string): string {
  const line = plainOf(body).replace(/\s+/g, " ").trim();
  const characters = [...line];
  return characters.length > EXCERPT_MAX_CHARS
    ? `${characters.slice(0, EXCERPT_MAX_CHARS).join("")}…`
    : line;
}
