import {
  type Check,
  isArrayOf,
  isBoolean,
  isCount,
  isNullOr,
  isOptional,
  isShape,
  isString,
} from "./checks";
import type {
  Code,
  Conversation,
  Conversations,
  History,
  Limits,
  Member,
  Message,
  People,
  Person,
  Problem,
  PushKey,
  ServerFrame,
  Session,
  User,
} from "./generated";

/** What a text frame turned out to be. */
export type Decoded =
  | { readonly kind: "frame"; readonly frame: ServerFrame }
  /** Of a type that this client does not know: to be ignored. */
  | { readonly kind: "unknown" }
  /** Not JSON, or a known type of the wrong shape: the connection is at fault. */
  | { readonly kind: "malformed" };

/** A code that this client does not know yet is still a code. */
const isCode = isString as Check<Code>;

const isUser = isShape<User>({ id: isString, name: isString });

const MESSAGE = {
  conversation: isString,
  seq: isCount,
  sender: isString,
  client_id: isString,
  at: isString,
  body: isString,
};
const isMessage = isShape<Message>(MESSAGE);

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
  message: isMessage,
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
    field: isOptional(isString),
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
  return { kind: "frame", frame: value as unknown as ServerFrame };
}

/** The value of a JSON text; `undefined`, which no JSON text means, when it is none. */
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
  last: isNullOr(isMessage),
  unread: isCount,
});

export const isConversations = isShape<Conversations>({
  conversations: isArrayOf(isConversation),
  next: isNullOr(isString),
});

export const isHistory = isShape<History>({
  messages: isArrayOf(isMessage),
  last_seq: isCount,
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

export const isPushKey = isShape<PushKey>({ public_key: isNullOr(isString) });

export const isProblem = isShape<Problem>({
  code: isCode,
  message: isString,
  field: isOptional(isString),
  retry_after_ms: isOptional(isCount),
});
