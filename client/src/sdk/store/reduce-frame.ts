import { heldTo, noteKnown } from "../engine/log";
import { refuse, remove } from "../engine/outbox";
import { applyDiff, fromSnapshot } from "../engine/presence";
import type {
  ConversationId,
  Message,
  ServerFrame,
  Stored,
  Synced,
  TypingBy,
  User,
  UserId,
  Welcome,
} from "../protocol/generated";
import { myId, withMessages, withReceipt } from "./chats";
import { withVisibility } from "./standing";
import type { State } from "./state";

/** What one frame of the server changes. */
export function reduceFrame(state: State, frame: ServerFrame, now: number): State {
  switch (frame.type) {
    case "welcome":
      return onWelcome(state, frame);
    case "synced":
      return onSynced(state, frame);
    case "stored":
      return onStored(state, frame);
    case "message":
      return onMessage(state, frame);
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

/** Another history than the one held: everything but the outbox goes. */
function onWelcome(state: State, welcome: Welcome): State {
  const { epoch, limits } = welcome;
  const next: State = {
    ...withVisibility(state, welcome.invisible),
    epoch,
    limits,
    link: "open",
    ending: null,
    caughtUp: false,
  };
  if (state.epoch === null || state.epoch === epoch) return next;
  return { ...next, chats: new Map(), logs: new Map(), listed: false, moreChats: null };
}

/**
 * What was undone on the server is dropped here; the list brings it back. Where
 * the replay had no room, at least one more message is known to exist.
 */
function onSynced(state: State, { reset, truncated }: Synced): State {
  const logs = new Map(state.logs);
  const chats = new Map(state.chats);
  for (const id of reset) {
    chats.delete(id);
    logs.delete(id);
  }
  for (const id of truncated) {
    const log = logs.get(id);
    if (log !== undefined) logs.set(id, noteKnown(log, heldTo(log) + 1));
  }
  const same = reset.length + truncated.length === 0;
  return { ...state, caughtUp: true, ...(same ? {} : { logs, chats }) };
}

/** The own message takes its place in the log. */
function onStored(state: State, stored: Stored): State {
  const { client_id, conversation, seq, at } = stored;
  const entry = state.outbox.entries.find((candidate) => candidate.clientId === client_id);
  const me = myId(state);
  if (entry === undefined || me === null) return withKnown(state, conversation, seq);
  const message: Message = { conversation, seq, sender: me, client_id, at, body: entry.body };
  return onMessage(state, message);
}

/** A message whose text is not at hand: the gap it leaves is fetched. */
function withKnown(state: State, conversation: ConversationId, seq: number): State {
  const log = state.logs.get(conversation);
  if (log === undefined) return state;
  return { ...state, logs: new Map(state.logs).set(conversation, noteKnown(log, seq)) };
}

function onMessage(state: State, frame: Message): State {
  const { conversation, seq, sender, client_id, at, body } = frame;
  const message: Message = { conversation, seq, sender, client_id, at, body };
  const placed = withMessages(state, conversation, [message]);
  // The answer to a send may be lost and its message come by replay.
  const outbox = sender === myId(state) ? remove(placed.outbox, client_id) : placed.outbox;
  return withoutTyping({ ...placed, outbox }, conversation, sender);
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
