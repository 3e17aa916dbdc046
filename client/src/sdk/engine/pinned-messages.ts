import type { History } from "../protocol/generated";
import { isMessage, type Message } from "../protocol/message";

/**
 * All pinned messages of a conversation, in the order of their numbers. `fetchPage` fetches those
 * before a number, or the last ones, see `Engine.pinnedPage`; what it rejects with is passed on.
 */
export async function pinnedMessages(
  fetchPage: (before: number | null) => Promise<History>,
): Promise<readonly Message[]> {
  const pages: History[] = [];
  let before: number | null = null;
  do {
    const page: History = await fetchPage(before);
    pages.unshift(page);
    before = page.messages.length === 0 || page.from <= 1 ? null : page.from;
  } while (before !== null);
  return pages.flatMap(({ messages }) => messages).filter(isMessage);
}
