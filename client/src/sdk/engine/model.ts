import type {
  ClientId,
  Conversation,
  ConversationId,
  Conversations,
  History,
  Limits,
  Member,
  Message,
  ServerFrame,
  Session,
  User,
  UserId,
} from "../protocol/generated";
import type { Log } from "./log";
import type { Entry, Outbox } from "./outbox";
import type { Presence } from "./presence";
import type { Ending } from "./reconnect";
import type { Head, KeptChat, Snapshot } from "./snapshot";

/** One conversation as the list shows it; its messages are in its log. */
export interface Chat {
  readonly id: ConversationId;
  readonly members: readonly Member[];
  /** The newest message known. */
  readonly last: Message | null;
  /** Messages of others after the own read position, up to `UNREAD_MAX`. */
  readonly unread: number;
}

/** Where the page stands. */
export type Stage =
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

/** Everything the engine reads and changes. */
export interface EngineState {
  readonly stage: Stage;
  readonly link: Link;
  /** Why the connection stays closed; `null` while it comes back by itself. */
  readonly ending: Ending | null;
  readonly epoch: string | null;
  readonly limits: Limits;
  readonly presence: Presence;
  /** RFC 3339: when those were here last who are not, as far as is known. */
  readonly lastSeen: ReadonlyMap<UserId, string>;
  /** Everyone ever heard of on this page, for their names. */
  readonly people: ReadonlyMap<UserId, User>;
  readonly chats: ReadonlyMap<ConversationId, Chat>;
  /** Whether the conversations have been listed once. */
  readonly listed: boolean;
  /** Whether what was missed before this connection has come, as far as it is replayed. */
  readonly caughtUp: boolean;
  /** Where the list of conversations goes on; `null`: that is all. */
  readonly moreChats: string | null;
  readonly logs: ReadonlyMap<ConversationId, Log>;
  readonly outbox: Outbox;
  /** Until when, by the clock, somebody counts as writing. */
  readonly typing: ReadonlyMap<ConversationId, ReadonlyMap<UserId, number>>;
  /** The conversation in front. */
  readonly open: ConversationId | null;
}

/** Everything that changes it. `now` is the clock's. */
export type EngineEvent =
  | { readonly type: "frame"; readonly frame: ServerFrame; readonly now: number }
  /** The page begins with what an earlier one kept. */
  | { readonly type: "restored"; readonly snapshot: Snapshot }
  | { readonly type: "session"; readonly session: Session }
  | { readonly type: "anonymous"; readonly loggedOut: boolean }
  | { readonly type: "password_set" }
  | { readonly type: "visibility"; readonly invisible: boolean }
  /** These people are about to leave; RFC 3339, by this page's clock. */
  | { readonly type: "leaving"; readonly users: readonly UserId[]; readonly at: string }
  | { readonly type: "link"; readonly link: Link; readonly ending: Ending | null }
  | { readonly type: "listed"; readonly page: Conversations; readonly first: boolean }
  | { readonly type: "conversation"; readonly conversation: Conversation }
  | {
      readonly type: "history";
      readonly conversation: ConversationId;
      readonly page: History;
    }
  /** The part that is held is too far behind to be continued: begin again after `base`. */
  | { readonly type: "skipped"; readonly conversation: ConversationId; readonly base: number }
  | { readonly type: "opened"; readonly conversation: ConversationId | null }
  /** The reader is at its end: what lies far above may go. */
  | { readonly type: "at_end"; readonly conversation: ConversationId }
  | { readonly type: "seen"; readonly conversation: ConversationId; readonly seq: number }
  | { readonly type: "written"; readonly entries: readonly Entry[] }
  | { readonly type: "sent"; readonly entries: readonly Entry[] }
  | { readonly type: "unanswered" }
  | { readonly type: "retried"; readonly clientId: ClientId; readonly fresh: ClientId }
  | { readonly type: "discarded"; readonly clientId: ClientId }
  | { readonly type: "quiet"; readonly now: number };

/** Where the state lives; the engine never keeps a copy. */
export interface StateStore {
  get(): EngineState;
  dispatch(event: EngineEvent): void;
}

/** Keeps the outbox beyond the life of the page. */
export interface OutboxStorage {
  put(user: UserId, entries: readonly Entry[]): Promise<void>;
  delete(clientIds: readonly ClientId[]): Promise<void>;
  /** Takes over what a page that is gone left behind, oldest first. */
  adopt(user: UserId): Promise<Entry[]>;
  /** Throws away everything of a user, who logs out. */
  clear(user: UserId): Promise<void>;
}

/** Keeps the last conversations beyond the life of the page, of one user at a time. */
export interface SnapshotStorage {
  read(): Promise<Snapshot | null>;
  /** From now on it is this user's that is read; what is there of another one goes. */
  own(user: UserId): Promise<void>;
  write(head: Head, put: readonly KeptChat[], gone: readonly ConversationId[]): Promise<void>;
  /** Throws away everything of a user, who logs out. */
  clear(user: UserId): Promise<void>;
}

/** Unread counts stop here: it means "this many or more". */
export const UNREAD_MAX = 100;
/** The most people that one connection watches by name. */
export const WATCH_MAX = 200;
/** The most cursors in one `hello` or `sync`. */
export const CURSORS_MAX = 500;
