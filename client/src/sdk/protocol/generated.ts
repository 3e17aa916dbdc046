// Printed from src/protocol.rs by `cargo run --example types`. Do not edit.

/** The WebSocket subprotocol (RFC 6455 §1.9) that names this version. */
export const SUBPROTOCOL = "tidings.v2";

/** Unread counts stop here: it means “this many or more”. */
export const UNREAD_MAX = 100;

/** The most cursors in one `hello` or `sync`. */
export const CURSORS_MAX = 500;

/** The most people in a `watch`. */
export const WATCH_MAX = 200;

/** The most messages pinned in one conversation. */
export const PINS_MAX = 50;

/** Characters of a message that a push shows; what was cut ends with `…`. */
export const EXCERPT_MAX_CHARS = 140;

/** A close code: the server is restarting. */
export const CLOSE_RESTART = 1012;

/** A close code: binary frames are not supported. */
export const CLOSE_UNSUPPORTED = 1003;

/** A close code: not reading fast enough. */
export const CLOSE_SLOW_READER = 4008;

/** A close code: no pong in time. */
export const CLOSE_NO_PONG = 4010;

/** A close code: no hello in time. */
export const CLOSE_NO_HELLO = 4011;

/** A close code: the session could not be started. */
export const CLOSE_NO_SESSION = 4012;

/** A close code: a frame of this connection keeps failing. */
export const CLOSE_FATAL_FRAME = 4500;

/** A close code: logged out. */
export const CLOSE_LOGGED_OUT = 4501;

/** A close code: logged in again. */
export const CLOSE_LOGGED_IN_AGAIN = 4501;

/** A close code: too many connections for this user. */
export const CLOSE_TOO_MANY_SOCKETS = 4502;

/** A close code: too many control frames. */
export const CLOSE_CONTROL_FLOOD = 4503;

/** A close code: too many frames, or too large ones, for too long. */
export const CLOSE_FRAME_FLOOD = 4504;

/** The limits of a server whose settings are the defaults, until its `welcome` brings its own. */
export const DEFAULT_LIMITS: Limits = {
  "text_max_chars": 4000,
  "unacknowledged_sends": 32,
  "sends_per_second": 5,
  "sends_burst": 20,
  "typing_interval_ms": 3000,
  "typing_expiry_ms": 6000,
  "receipt_interval_ms": 250,
  "reconnect_min_ms": 500,
  "reconnect_max_ms": 20000,
  "history_page_max": 100
};

export type UserId = string;

export type ConversationId = string;

export type ClientId = string;

export type ClientFrame = { "type": "hello" } & Hello | { "type": "sync" } & Sync | { "type": "send" } & Send | { "type": "give_up" } & GiveUp | { "type": "delivered" } & Position | { "type": "read" } & Position | { "type": "typing" } & Typing | { "type": "watch" } & Watch | { "type": "activity" } & Activity | { "type": "ping" } & Ping;

export type Hello = { 
/**
 * One for each conversation that the client holds; the others are listed over HTTP.
 */
cursors: Array<Cursor>, 
/**
 * Whose presence the client wants.
 */
watch: Watch, 
/**
 * As in `activity`.
 */
idle?: boolean, };

export type Sync = { cursors: Array<Cursor>, };

export type Cursor = { conversation: ConversationId, 
/**
 * The highest number held without a gap before it; 0 for nothing.
 */
seq: number, 
/**
 * The `at` of the event held there. Where another one is there now, what
 * the client holds was undone, though the log may be as long again.
 */
at?: string, };

export type Send = { 
/**
 * The sender's own name for the operation, fresh for each.
 */
client_id: ClientId, conversation: ConversationId, } & ({ "kind": "message", 
/**
 * 1 to `limits.text_max_chars` characters, plain text.
 */
body: string, } | { "kind": "pin", 
/**
 * The number of the message.
 */
target: number, on: boolean, });

export type Content = { "kind": "message", 
/**
 * 1 to `limits.text_max_chars` characters, plain text.
 */
body: string, } | { "kind": "pin", 
/**
 * The number of the message.
 */
target: number, on: boolean, };

export type GiveUp = { client_id: ClientId, };

export type Position = { conversation: ConversationId, seq: number, };

export type Typing = { conversation: ConversationId, };

export type Watch = { 
/**
 * Whether the list of people, or at least its count, is on screen.
 */
list: boolean, 
/**
 * People watched wherever the list is, at most [`WATCH_MAX`].
 */
users: Array<UserId>, };

export type Activity = { idle: boolean, };

export type Ping = Record<symbol, never>;

export type ServerFrame = { "type": "welcome" } & Welcome | { "type": "synced" } & Synced | { "type": "resync" } & Resync | { "type": "stored" } & Stored | { "type": "event" } & Event | { "type": "hidden" } & Hidden | { "type": "receipt" } & Receipt | { "type": "typing" } & TypingBy | { "type": "presence" } & Presence | { "type": "presence_diff" } & PresenceDiff | { "type": "visibility" } & Visibility | { "type": "error" } & ErrorFrame | { "type": "pong" } & Pong;

export type Welcome = { user: User, 
/**
 * Names this history. When it is not the one the client holds data of, the
 * client drops what it holds and loads afresh; its outbox stays.
 */
epoch: string, limits: Limits, 
/**
 * Whether the user has chosen to be invisible; `visibility` tells of changes.
 */
invisible: boolean, };

export type Limits = { text_max_chars: number, 
/**
 * Sends in flight before the client waits for an answer.
 */
unacknowledged_sends: number, 
/**
 * What a user may send on average, and at once; 0 for no limit.
 */
sends_per_second: number, sends_burst: number, typing_interval_ms: number, typing_expiry_ms: number, receipt_interval_ms: number, reconnect_min_ms: number, reconnect_max_ms: number, history_page_max: number, };

export type Synced = { 
/**
 * Too much was missing in these: page through the history.
 */
truncated: Array<ConversationId>, 
/**
 * The log of these does not go on from the cursor: drop them and load afresh.
 */
reset: Array<ConversationId>, };

export type Resync = Record<symbol, never>;

export type Stored = { client_id: ClientId, conversation: ConversationId, seq: number, at: string, 
/**
 * Whether it had been stored before; the place is the first one.
 */
duplicate: boolean, };

export type Event = { conversation: ConversationId, seq: number, sender: UserId, client_id: ClientId, 
/**
 * RFC 3339, UTC, milliseconds: when the server stored it.
 */
at: string, } & ({ "kind": "message", 
/**
 * 1 to `limits.text_max_chars` characters, plain text.
 */
body: string, } | { "kind": "pin", 
/**
 * The number of the message.
 */
target: number, on: boolean, });

export type Hidden = { conversation: ConversationId, seq: number, };

export type Receipt = { conversation: ConversationId, user: UserId, delivered: number, read: number, 
/**
 * In the user's own receipts only: what is unread now, up to [`UNREAD_MAX`].
 */
unread?: number, };

export type TypingBy = { conversation: ConversationId, user: UserId, };

export type Presence = { version: number, 
/**
 * Everyone online.
 */
count: number, 
/**
 * Whether `online` is everyone; otherwise it is those of the watched who are online.
 */
complete: boolean, online: Array<User>, 
/**
 * Those in `online` who are away.
 */
away?: Array<UserId>, };

export type PresenceDiff = { version: number, count: number, 
/**
 * They are not away, unless `away` has them too.
 */
joins: Array<User>, leaves: Array<UserId>, 
/**
 * Those online who are away from now on.
 */
away?: Array<UserId>, 
/**
 * Those online who are not away any more.
 */
back?: Array<UserId>, };

export type Visibility = { invisible: boolean, };

export type ErrorFrame = { 
/**
 * The send that was refused.
 */
client_id?: ClientId, conversation?: ConversationId, 
/**
 * The send that was refused earlier and has to be repeated, or given up, first.
 */
after?: ClientId, code: Code, 
/**
 * One sentence for a person.
 */
message: string, 
/**
 * The field of the request that is at fault.
 */
field?: string, 
/**
 * Of a name or a password that breaks a rule: which one.
 */
rule?: Rule, 
/**
 * Wait this long before trying again.
 */
retry_after_ms?: number, };

export type Pong = Record<symbol, never>;

export type User = { id: UserId, name: string, };

export type Problem = { code: Code, 
/**
 * One sentence for a person.
 */
message: string, 
/**
 * The field of the request that is at fault.
 */
field?: string, 
/**
 * Of a name or a password that breaks a rule: which one.
 */
rule?: Rule, 
/**
 * Wait this long before trying again.
 */
retry_after_ms?: number, };

export type Rule = "empty" | "too_short" | "too_long" | "invisible" | "not_allowed" | "edge" | "doubled_separator" | "too_many_marks" | "mixed_scripts" | "reserved" | "common" | "like_name" | "repetitive";

export type Code = "bad_json" | "unknown_type" | "invalid_field" | "invalid_text" | "text_too_long" | "invalid_name" | "invalid_password" | "hello_expected" | "hello_repeated" | "id_reused" | "not_found" | "too_many_pins" | "rate_limited" | "busy" | "storage_unavailable" | "name_taken" | "password_required" | "wrong_password" | "unauthorized" | "forbidden_origin" | "unknown_host" | "bad_request" | "bad_upgrade" | "method_not_allowed" | "unsupported_media_type" | "too_large" | "internal";

export type LogIn = { name: string, password?: string, 
/**
 * Ask for the secret in the answer instead of a cookie, for programs.
 */
bearer?: boolean, };

export type Session = { user: User, has_password: boolean, 
/**
 * Whether the user has chosen to be invisible to others.
 */
invisible: boolean, 
/**
 * Only when asked for with `bearer`.
 */
token?: string, };

export type NoSession = { user: null, };

export type SetPassword = { password: string, 
/**
 * The old one, when there is one.
 */
current?: string, };

export type Sessions = { sessions: Array<OpenSession>, };

export type OpenSession = { 
/**
 * For `DELETE /api/sessions/{id}`; it opens nothing.
 */
id: string, 
/**
 * RFC 3339: when it began.
 */
created: string, 
/**
 * The day (UTC) on which it was last used: `2026-11-29`.
 */
last_used: string, 
/**
 * A word each for what logged in (`Firefox`, `Linux`), where that was said.
 */
browser?: string, system?: string, 
/**
 * Whether it is the one that asks.
 */
current: boolean, };

export type SetVisibility = { invisible: boolean, };

export type Person = { online: boolean, 
/**
 * RFC 3339, when last online; missing while online and when never.
 */
last_seen?: string, id: UserId, name: string, };

export type People = { users: Array<Person>, 
/**
 * Give it back as `after` for the next page.
 */
next: string | null, 
/**
 * Everyone online, whatever the search.
 */
online: number, };

export type OpenConversation = { user: UserId, };

export type Conversation = { id: ConversationId, members: Array<Member>, 
/**
 * The number of the last event; 0: there is none yet.
 */
last_seq: number, 
/**
 * RFC 3339: when that event was stored.
 */
last_at: string | null, 
/**
 * The last message.
 */
last: Event | null, 
/**
 * Messages of others after the own read position, up to [`UNREAD_MAX`].
 */
unread: number, 
/**
 * The numbers of the pinned messages, the one pinned first in front, as of `last_seq`.
 */
pins: Array<number>, };

export type Member = { user: User, delivered: number, read: number, 
/**
 * RFC 3339, when last online, exact to the minute; missing when never. Of
 * somebody online it says nothing.
 */
last_seen?: string, };

export type Conversations = { conversations: Array<Conversation>, 
/**
 * Give it back as `before` for the next page.
 */
next: string | null, };

export type History = { messages: Array<Event>, 
/**
 * The first number that the page covers: `before=` it brings the page before.
 */
from: number, 
/**
 * The last number that the page covers: `after=` it brings the page after.
 */
to: number, last_seq: number, 
/**
 * RFC 3339: when that event was stored, for the cursor of a client that holds
 * everything up to it.
 */
last_at: string | null, };

export type PushKey = { 
/**
 * An uncompressed point on P-256 in base64url; none when this server sends no pushes.
 */
public_key: string | null, };

export type Subscription = { 
/**
 * Where its push service takes pushes for this browser: whoever knows it can send there.
 */
endpoint: string, keys: SubscriptionKeys, };

export type SubscriptionKeys = { 
/**
 * An uncompressed point on P-256: 65 bytes.
 */
p256dh: string, 
/**
 * 16 bytes.
 */
auth: string, };

export type PushNotice = { 
/**
 * The reader.
 */
user: UserId, conversation: ConversationId, seq: number, 
/**
 * When the server stored it, as in `event`.
 */
at: string, sender: User, 
/**
 * The beginning of the message, at most [`EXCERPT_MAX_CHARS`], on one line.
 */
excerpt: string, 
/**
 * Unread messages of that conversation, up to [`UNREAD_MAX`](super::UNREAD_MAX).
 */
unread: number, };
