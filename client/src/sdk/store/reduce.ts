import { enqueue, markSent, remove, resendAll, retry } from "../outbox/outbox";
import type { Conversations, Session, UserId } from "../protocol/generated";
import {
  myId,
  withBounded,
  withConversation,
  withHistory,
  withReceipt,
  withRestart,
  withTrimmed,
} from "./conversations";
import type { EngineEvent } from "./events";
import { withLastSeen, withoutWriters, withVisibility } from "./presence-updates";
import { reduceFrame } from "./reduce-frame";
import { restored } from "./snapshot";
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
      return state.auth.kind === "active"
        ? { ...state, auth: { ...state.auth, hasPassword: true } }
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
      return withHistory(state, event.conversation, event.page);
    case "restarted":
      return withRestart(state, event.conversation, event.page);
    case "opened":
      return onOpened(state, event.conversation);
    case "missing":
      return state.open === event.conversation ? { ...state, missing: state.open } : state;
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

/** Keeps the state of the same user; another user starts with nothing. */
function onSession(state: State, session: Session): State {
  const base = myId(state) === session.user.id ? state : { ...INITIAL, open: state.open };
  const people = new Map(base.people).set(session.user.id, session.user);
  return {
    ...base,
    people,
    auth: {
      kind: "active",
      me: session.user,
      hasPassword: session.has_password,
      invisible: session.invisible,
    },
  };
}

function onAnonymous(state: State, loggedOut: boolean): State {
  return { ...INITIAL, open: state.open, auth: { kind: "anonymous", loggedOut } };
}

/** Users who go offline are no longer typing. */
function onLeaving(state: State, users: readonly UserId[], at: string): State {
  return withLastSeen(
    withoutWriters(state, users),
    users.map((user) => [user, at]),
  );
}

function onLink(state: State, event: Extract<EngineEvent, { type: "link" }>): State {
  const { link, closeReason } = event;
  // While disconnected, nobody is known to be typing.
  return { ...state, link, closeReason, typing: new Map() };
}

function onListed(state: State, page: Conversations, first: boolean): State {
  const next = page.conversations.reduce(withConversation, state);
  // Loading the first page again must not drop the pages loaded before.
  const moreConversations = first && state.listed ? state.moreConversations : page.next;
  return { ...next, listed: true, moreConversations };
}

function onOpened(state: State, conversation: string | null): State {
  if (conversation === state.open) return state;
  const left = state.open === null ? state : withTrimmed(state, state.open);
  return { ...left, open: conversation, missing: null };
}

/** The own read position moves before the server confirms it. */
function onSeen(state: State, conversation: string, seq: number): State {
  const me = myId(state);
  const own = state.conversations
    .get(conversation)
    ?.members.find((member) => member.user.id === me);
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
