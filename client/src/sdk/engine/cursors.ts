import { type ConversationId, CURSORS_MAX, type Cursor } from "../protocol/generated";
import type { State } from "../store/state";
import type { Log } from "../timeline/log";

/** The end of each log; of the most recently active ones if there are too many. */
export function cursorsOf({ conversations, logs }: State): Cursor[] {
  const at = (id: ConversationId) => conversations.get(id)?.last?.at ?? "";
  return [...logs]
    .sort(([a], [b]) => at(b).localeCompare(at(a)))
    .slice(0, CURSORS_MAX)
    .map(([conversation, log]) => cursorOf(conversation, log));
}

/** The end of a log, and the time of that event, by which the server knows its own history. */
function cursorOf(conversation: ConversationId, { end, endAt }: Log): Cursor {
  return { conversation, seq: end, ...(endAt === null ? {} : { at: endAt }) };
}
