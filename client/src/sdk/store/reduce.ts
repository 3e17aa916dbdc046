import { noteKnown, prepend, startLog } from "../engine/log";
import type { EngineEvent } from "../engine/model";
import { enqueue, markSent, remove, resendAll, retry } from "../engine/outbox";
import { restored } from "../engine/snapshot";
import type { Conversations, History, Session, UserId } from "../protocol/generated";
import {
  myId,
  withBounded,
  withConversation,
  withMessages,
  withReceipt,
  withTrimmed,
} from "./chats";
import { reduceFrame } from "./reduce-frame";
import { withLastSeen, withoutWriters, withVisibility } from "./standing";
import { INITIAL, type State } from "./state";

/** The state after an event; the same object when nothing changed. */
export function reduce(state: State, event: EngineEvent): State {
  switch (event.type) {
    case "frame":
      return reduceFrame(state, event.frame, event.now);
    case "restored":
      return restored({ ...INITIAL, open: state.open }, event.snapshot);
    case "session":
      return onSession(state, event.session);
    case "anonymous":
      return onAnonymous(state, event.loggedOut);
    case "password_set":
      return state.stage.kind === "active"
        ? { ...state, stage: { ...state.stage, hasPassword: true } }
        : state;
    case "visibility":
      return withVisibility(state, event.invisible);
    case "leaving":
      return onLeaving(state, event.users, event.at);
    case "link":
      return onLink(state, event);
    case "listed":
      return onListed(state, event.page, event.first);
    case "conversation":
      return withConversation(state, event.conversation);
    case "history":
      return onHistory(state, event.conversation, event.page);
    case "skipped":
      return {
        ...state,
        logs: new Map(state.logs).set(event.conversation, startLog(event.base)),
      };
    case "opened":
      return onOpened(state, event.conversation);
    case "at_end":
      return withBounded(state, event.conversation);
    case "seen":
      return onSeen(state, event.conversation, event.seq);
    case "written":
      return { ...state, outbox: enqueue(state.outbox, event.entries) };
    case "sent":
      return { ...state, outbox: markSent(state.outbox, event.entries) };
    case "unanswered":
      return { ...state, outbox: resendAll(state.outbox) };
    case "retried":
      return { ...state, outbox: retry(state.outbox, event.clientId, event.fresh) };
    case "discarded":
      return { ...state, outbox: remove(state.outbox, event.clientId) };
    case "quiet":
      return onQuiet(state, event.now);
    default:
      return unreachable(event);
  }
}

/** The same user comes back to what is held; another one starts from nothing. */
function onSession(state: State, session: Session): State {
  const base = myId(state) === session.user.id ? state : { ...INITIAL, open: state.open };
  const people = new Map(base.people).set(session.user.id, session.user);
  return {
    ...base,
    people,
    stage: {
      kind: "active",
      me: session.user,
      hasPassword: session.has_password,
      invisible: session.invisible,
    },
  };
}

function onAnonymous(state: State, loggedOut: boolean): State {
  return { ...INITIAL, open: state.open, stage: { kind: "anonymous", loggedOut } };
}

/** Whoever goes is not writing any more. */
function onLeaving(state: State, users: readonly UserId[], at: string): State {
  return withLastSeen(
    withoutWriters(state, users),
    users.map((user) => [user, at]),
  );
}

function onLink(state: State, event: Extract<EngineEvent, { type: "link" }>): State {
  const { link, ending } = event;
  // Nobody is known to be writing while nothing is heard.
  return { ...state, link, ending, typing: new Map() };
}

function onListed(state: State, page: Conversations, first: boolean): State {
  const next = page.conversations.reduce(withConversation, state);
  // A first page that is read again must not cut off what was paged before.
  const moreChats = first && state.listed ? state.moreChats : page.next;
  return { ...next, listed: true, moreChats };
}

function onHistory(state: State, id: string, page: History): State {
  const log = state.logs.get(id) ?? startLog(Math.max(0, (page.messages[0]?.seq ?? 1) - 1));
  const logs = new Map(state.logs);
  logs.set(id, noteKnown(prepend(log, page.messages), page.last_seq));
  return withMessages({ ...state, logs }, id, page.messages);
}

function onOpened(state: State, conversation: string | null): State {
  if (conversation === state.open) return state;
  const left = state.open === null ? state : withTrimmed(state, state.open);
  return { ...left, open: conversation };
}

/** The own read position moves before the server confirms it. */
function onSeen(state: State, conversation: string, seq: number): State {
  const me = myId(state);
  const own = state.chats.get(conversation)?.members.find((member) => member.user.id === me);
  if (own === undefined || seq <= own.read) return state;
  const { delivered } = own;
  return withReceipt(state, { conversation, user: own.user.id, delivered, read: seq });
}

function onQuiet(state: State, now: number): State {
  const typing = new Map(
    [...state.typing].map(([conversation, writers]) => [
      conversation,
      new Map([...writers].filter(([, until]) => until > now)),
    ]),
  );
  return { ...state, typing };
}

function unreachable(_event: never): never {
  throw new Error("every event type has its case");
}
