import type { ConversationId, Cursor } from "../protocol/generated";
import { heldTo, type Log } from "./log";
import { CURSORS_MAX, type EngineState } from "./model";

/** How far each log is held, the most recently active ones when there are too many. */
export function cursorsOf({ chats, logs }: EngineState): Cursor[] {
  const at = (id: ConversationId) => chats.get(id)?.last?.at ?? "";
  return [...logs]
    .sort(([a], [b]) => at(b).localeCompare(at(a)))
    .slice(0, CURSORS_MAX)
    .map(([conversation, log]) => cursorOf(conversation, log));
}

/** How far a log is held, and by which message the server knows that it is its own. */
function cursorOf(conversation: ConversationId, log: Log): Cursor {
  const last = log.messages.at(-1);
  return { conversation, seq: heldTo(log), ...(last === undefined ? {} : { at: last.at }) };
}
