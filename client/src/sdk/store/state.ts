import type { CloseReason } from "../connection/reconnect";
import { EMPTY_OUTBOX, type Outbox } from "../outbox/outbox";
import {
  type ConversationId,
  DEFAULT_LIMITS,
  type Limits,
  type Member,
  type User,
  type UserId,
} from "../protocol/generated";
import type { Message } from "../protocol/message";
import type { Log } from "../timeline/log";
import { type Presence, UNKNOWN } from "./presence";

/** One conversation without its messages and pins, which are in its log. */
export interface ConversationSummary {
  readonly id: ConversationId;
  readonly members: readonly Member[];
  /** The newest message known. */
  readonly last: Message | null;
  /** Messages of others after the own read position, up to `UNREAD_MAX`. */
  readonly unread: number;
}

/** Whether somebody is logged in, and who. */
export type AuthState =
  /** The session is being asked for. */
  | { readonly kind: "starting" }
  /** Nobody is logged in; `loggedOut`: the server ended the session. */
  | { readonly kind: "anonymous"; readonly loggedOut: boolean }
  | {
      readonly kind: "active";
      readonly me: User;
      readonly hasPassword: boolean;
      /** Whether the user has chosen to be invisible to others. */
      readonly invisible: boolean;
    };

export type Link = "connecting" | "open" | "closed";

/** Everything the client knows. */
export interface State {
  readonly auth: AuthState;
  readonly link: Link;
  /** Why the connection stays closed; `null` while it reconnects by itself. */
  readonly closeReason: CloseReason | null;
  readonly epoch: string | null;
  /** The defaults until the server's `welcome` brings its own. */
  readonly limits: Limits;
  readonly presence: Presence;
  /** When users who are offline were last seen, as far as is known; RFC 3339. */
  readonly lastSeen: ReadonlyMap<UserId, string>;
  /** Every user this page has heard of, for their names. */
  readonly people: ReadonlyMap<UserId, User>;
  readonly conversations: ReadonlyMap<ConversationId, ConversationSummary>;
  /** Whether the first page of conversations has been loaded. */
  readonly listed: boolean;
  /** Whether the replay of this connection is complete. */
  readonly caughtUp: boolean;
  /** The cursor of the next page of conversations; `null` if there is none. */
  readonly moreConversations: string | null;
  readonly logs: ReadonlyMap<ConversationId, Log>;
  readonly outbox: Outbox;
  /** Until when, by the clock, users count as typing. */
  readonly typing: ReadonlyMap<ConversationId, ReadonlyMap<UserId, number>>;
  /** The open conversation. */
  readonly open: ConversationId | null;
  /** The open conversation, if the server says that it does not exist. */
  readonly missing: ConversationId | null;
}

export const INITIAL: State = {
  auth: { kind: "starting" },
  link: "closed",
  closeReason: null,
  epoch: null,
  limits: DEFAULT_LIMITS,
  presence: UNKNOWN,
  lastSeen: new Map(),
  people: new Map(),
  conversations: new Map(),
  listed: false,
  caughtUp: false,
  moreConversations: null,
  logs: new Map(),
  outbox: EMPTY_OUTBOX,
  typing: new Map(),
  open: null,
  missing: null,
};
