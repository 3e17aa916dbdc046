import { messagesOnly, refuse, remove } from "../outbox/outbox";
import type {
  ConversationId,
  Event,
  ServerFrame,
  Stored,
  Synced,
  TypingBy,
  User,
  UserId,
  Welcome,
} from "../protocol/generated";
import { isMessage } from "../protocol/message";
import { noteKnown } from "../timeline/log";
import { myId, withEvent, withReceipt } from "./conversations";
import { applyDiff, fromSnapshot } from "./presence";
import { withVisibility } from "./presence-updates";
import type { State } from "./state";

/** The state after one frame of the server. */
export function reduceFrame(state: State, frame: ServerFrame, now: number): State {
  switch (frame.type) {
    case "welcome":
      return onWelcome(state, frame);
    case "synced":
      return onSynced(state, frame);
    case "stored":
      return onStored(state, frame);
    case "event":
      return onEvent(state, eventIn(frame));
    case "hidden":
      return withEvent(state, { conversation: frame.conversation, seq: frame.seq });
    case "receipt":
      return withReceipt(state, frame);
    case "typing":
      return onTyping(state, frame, now);
    case "presence":
      return withPeople({ ...state, presence: fromSnapshot(frame) }, frame.online);
    case "presence_diff":
      return withPeople({ ...state, presence: applyDiff(state.presence, frame) }, frame.joins);
    case "visibility":
      return withVisibility(state, frame.invisible);
    case "error":
      return { ...state, outbox: refuse(state.outbox, frame, now) };
    case "resync":
    case "pong":
      return state;
    default:
      return unreachable(frame);
  }
}

/** Drops everything but unsent messages if the epoch is another one. */
function onWelcome(state: State, welcome: Welcome): State {
  const { epoch, limits } = welcome;
  const next: State = {
    ...withVisibility(state, welcome.invisible),
    epoch,
    limits,
    link: "open",
    closeReason: null,
    caughtUp: false,
  };
  if (state.epoch === null || state.epoch === epoch) return next;
  return {
    ...next,
    outbox: messagesOnly(state.outbox),
    conversations: new Map(),
    logs: new Map(),
    listed: false,
    moreConversations: null,
  };
}

/**
 * Drops conversations that were reset on the server; the list brings them back. If a
 * conversation did not fit in the replay, at least one more event is known to exist.
 */
function onSynced(state: State, { reset, truncated }: Synced): State {
  const logs = new Map(state.logs);
  const conversations = new Map(state.conversations);
  for (const id of reset) {
    conversations.delete(id);
    logs.delete(id);
  }
  for (const id of truncated) {
    const log = logs.get(id);
    if (log !== undefined) logs.set(id, noteKnown(log, log.end + 1));
  }
  const same = reset.length + truncated.length === 0;
  return { ...state, caughtUp: true, ...(same ? {} : { logs, conversations }) };
}

/** Moves what was sent from the outbox to the log. */
function onStored(state: State, stored: Stored): State {
  const { client_id, conversation, seq, at } = stored;
  const entry = state.outbox.entries.find((candidate) => candidate.clientId === client_id);
  const me = myId(state);
  if (entry === undefined || me === null) return withKnown(state, conversation, seq);
  return onEvent(state, { conversation, seq, sender: me, client_id, at, ...entry.content });
}

/** An event whose content is unknown: the gap that it leaves is fetched. */
function withKnown(state: State, conversation: ConversationId, seq: number): State {
  const log = state.logs.get(conversation);
  if (log === undefined) return state;
  return { ...state, logs: new Map(state.logs).set(conversation, noteKnown(log, seq)) };
}

/** The event of a frame, as it is in a page of history too. */
function eventIn({ type: _type, ...event }: Extract<ServerFrame, { type: "event" }>): Event {
  return event;
}

function onEvent(state: State, event: Event): State {
  const { conversation, sender, client_id } = event;
  const placed = withEvent(state, event);
  // The answer to a send may be lost and its event come by replay.
  const outbox = sender === myId(state) ? remove(placed.outbox, client_id) : placed.outbox;
  const next = { ...placed, outbox };
  return isMessage(event) ? withoutTyping(next, conversation, sender) : next;
}

function onTyping(state: State, frame: TypingBy, now: number): State {
  if (frame.user === myId(state)) return state;
  const writers = new Map(state.typing.get(frame.conversation));
  writers.set(frame.user, now + state.limits.typing_expiry_ms);
  return { ...state, typing: new Map(state.typing).set(frame.conversation, writers) };
}

function withoutTyping(state: State, conversation: ConversationId, user: UserId): State {
  const held = state.typing.get(conversation);
  if (held === undefined || !held.has(user)) return state;
  const writers = new Map(held);
  writers.delete(user);
  return { ...state, typing: new Map(state.typing).set(conversation, writers) };
}

function withPeople(state: State, users: readonly User[]): State {
  if (users.length === 0) return state;
  const people = new Map(state.people);
  for (const user of users) people.set(user.id, user);
  return { ...state, people };
}

function unreachable(_frame: never): never {
  throw new Error("every frame type has its case");
}
