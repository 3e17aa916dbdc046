import { plainOf } from "./format";

/** So many characters of a message stand for it elsewhere. */
const EXCERPT = 140;

/** The beginning of a message, on one line. */
export function excerptOf(body: string): string {
  const line = plainOf(body).replace(/\s+/g, " ").trim();
  const characters = [...line];
  return characters.length > EXCERPT ? `${characters.slice(0, EXCERPT).join("")}…` : line;
}
