import {
  type Check,
  isArrayOf,
  isBoolean,
  isCount,
  isNull,
  isNullOr,
  isOptional,
  isShape,
  isString,
} from "./checks";
import type {
  Code,
  Content,
  Conversation,
  Conversations,
  Event,
  Hidden,
  History,
  Limits,
  Member,
  NoSession,
  OpenSession,
  People,
  Person,
  Problem,
  PushKey,
  Rule,
  ServerFrame,
  Session,
  Sessions,
  User,
} from "./generated";
import type { EventOf } from "./message";

/** The result of decoding a text frame. */
export type Decoded =
  | { readonly kind: "frame"; readonly frame: ServerFrame }
  /** A frame of a type that this client does not know, which is ignored. */
  | { readonly kind: "unknown" }
  /** Not JSON, or a known type of the wrong shape: the connection is at fault. */
  | { readonly kind: "malformed" };

/** A code that this client does not know yet is still a code. */
const isCode = isString as Check<Code>;

const isRule = isString as Check<Rule>;

const isUser = isShape<User>({ id: isString, name: isString });

const isHidden = isShape<Hidden>({ conversation: isString, seq: isCount });

const isKind = isShape<{ kind: string }>({ kind: isString });

type Kind = Content["kind"];

/** What every event says, whatever its kind. */
const HEADER = {
  conversation: isString,
  seq: isCount,
  sender: isString,
  client_id: isString,
  at: isString,
};

const EVENTS: { readonly [K in Kind]: Check<Omit<EventOf<K>, "kind">> } = {
  message: isShape<Omit<EventOf<"message">, "kind">>({ ...HEADER, body: isString }),
  pin: isShape<Omit<EventOf<"pin">, "kind">>({ ...HEADER, target: isCount, on: isBoolean }),
};

const isKnownKind = (kind: string): kind is Kind => Object.hasOwn(EVENTS, kind);

/**
 * Of a kind that this client does not know, only the number is checked: later servers
 * may send it, and nothing else of it is used.
 */
const isEvent = ((value) =>
  isKind(value) &&
  (isKnownKind(value.kind) ? EVENTS[value.kind] : isHidden)(value)) as Check<Event>;

const isLimits = isShape<Limits>({
  text_max_chars: isCount,
  unacknowledged_sends: isCount,
  sends_per_second: isCount,
  sends_burst: isCount,
  typing_interval_ms: isCount,
  typing_expiry_ms: isCount,
  receipt_interval_ms: isCount,
  reconnect_min_ms: isCount,
  reconnect_max_ms: isCount,
  history_page_max: isCount,
});

type Type = ServerFrame["type"];
type Body<T extends Type> = Omit<Extract<ServerFrame, { type: T }>, "type">;

const BODIES: { readonly [T in Type]: Check<Body<T>> } = {
  welcome: isShape<Body<"welcome">>({
    user: isUser,
    epoch: isString,
    limits: isLimits,
    invisible: isBoolean,
  }),
  synced: isShape<Body<"synced">>({
    truncated: isArrayOf(isString),
    reset: isArrayOf(isString),
  }),
  resync: isShape({}),
  stored: isShape<Body<"stored">>({
    client_id: isString,
    conversation: isString,
    seq: isCount,
    at: isString,
    duplicate: isBoolean,
  }),
  event: isEvent,
  hidden: isHidden,
  receipt: isShape<Body<"receipt">>({
    conversation: isString,
    user: isString,
    delivered: isCount,
    read: isCount,
    unread: isOptional(isCount),
  }),
  typing: isShape<Body<"typing">>({ conversation: isString, user: isString }),
  presence: isShape<Body<"presence">>({
    version: isCount,
    count: isCount,
    complete: isBoolean,
    online: isArrayOf(isUser),
    away: isOptional(isArrayOf(isString)),
  }),
  presence_diff: isShape<Body<"presence_diff">>({
    version: isCount,
    count: isCount,
    joins: isArrayOf(isUser),
    leaves: isArrayOf(isString),
    away: isOptional(isArrayOf(isString)),
    back: isOptional(isArrayOf(isString)),
  }),
  visibility: isShape<Body<"visibility">>({ invisible: isBoolean }),
  error: isShape<Body<"error">>({
    code: isCode,
    message: isString,
    client_id: isOptional(isString),
    conversation: isOptional(isString),
    after: isOptional(isString),
    field: isOptional(isString),
    rule: isOptional(isRule),
    retry_after_ms: isOptional(isCount),
  }),
  pong: isShape({}),
};

const isTyped = isShape<{ type: string }>({ type: isString });

/** Reads one text frame of the server. */
export function decodeFrame(text: string): Decoded {
  const value = parse(text);
  if (!isTyped(value)) return { kind: "malformed" };
  if (!Object.hasOwn(BODIES, value.type)) return { kind: "unknown" };
  if (!BODIES[value.type as Type](value)) return { kind: "malformed" };
  return { kind: "frame", frame: asKnown(value as unknown as ServerFrame) };
}

/** An event of an unknown kind takes its number, and nothing is shown: it is as if hidden. */
function asKnown(frame: ServerFrame): ServerFrame {
  if (frame.type !== "event" || isKnownKind(frame.kind)) return frame;
  const { conversation, seq } = frame as Hidden;
  return { type: "hidden", conversation, seq };
}

/** The value of a JSON text; `undefined` if it is not JSON. */
export function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const isMember = isShape<Member>({
  user: isUser,
  delivered: isCount,
  read: isCount,
  last_seen: isOptional(isString),
});

export const isConversation = isShape<Conversation>({
  id: isString,
  members: isArrayOf(isMember),
  last_seq: isCount,
  last_at: isNullOr(isString),
  last: isNullOr(isEvent),
  unread: isCount,
  pins: isArrayOf(isCount),
});

export const isConversations = isShape<Conversations>({
  conversations: isArrayOf(isConversation),
  next: isNullOr(isString),
});

export const isHistory = isShape<History>({
  messages: isArrayOf(isEvent),
  from: isCount,
  to: isCount,
  last_seq: isCount,
  last_at: isNullOr(isString),
});

export const isPeople = isShape<People>({
  users: isArrayOf(
    isShape<Person>({
      id: isString,
      name: isString,
      online: isBoolean,
      last_seen: isOptional(isString),
    }),
  ),
  next: isNullOr(isString),
  online: isCount,
});

export const isSession = isShape<Session>({
  user: isUser,
  has_password: isBoolean,
  invisible: isBoolean,
  token: isOptional(isString),
});

const isNoSession = isShape<NoSession>({ user: isNull });

export const isSessionOrNone: Check<Session | NoSession> = (value) =>
  isNoSession(value) || isSession(value);

export const isSessions = isShape<Sessions>({
  sessions: isArrayOf(
    isShape<OpenSession>({
      id: isString,
      created: isString,
      last_used: isString,
      browser: isOptional(isString),
      system: isOptional(isString),
      current: isBoolean,
    }),
  ),
});

export const isPushKey = isShape<PushKey>({ public_key: isNullOr(isString) });

export const isProblem = isShape<Problem>({
  code: isCode,
  message: isString,
  field: isOptional(isString),
  rule: isOptional(isRule),
  retry_after_ms: isOptional(isCount),
});
