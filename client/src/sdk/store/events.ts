import type { CloseReason } from "../connection/reconnect";
import type { Entry } from "../outbox/outbox";
import type {
  ClientId,
  Conversation,
  ConversationId,
  Conversations,
  History,
  ServerFrame,
  Session,
  UserId,
} from "../protocol/generated";
import type { Snapshot } from "./snapshot";
import type { Link } from "./state";

/** Everything that changes the state. `now` is the clock's. */
export type EngineEvent =
  | { readonly type: "frame"; readonly frame: ServerFrame; readonly now: number }
  /** The page starts from the snapshot of an earlier one. */
  | { readonly type: "restored"; readonly snapshot: Snapshot }
  | { readonly type: "session"; readonly session: Session }
  | { readonly type: "anonymous"; readonly loggedOut: boolean }
  | { readonly type: "password_set" }
  | { readonly type: "visibility"; readonly invisible: boolean }
  /** These users are about to go offline; RFC 3339, by this page's clock. */
  | { readonly type: "leaving"; readonly users: readonly UserId[]; readonly at: string }
  | { readonly type: "link"; readonly link: Link; readonly closeReason: CloseReason | null }
  | { readonly type: "listed"; readonly page: Conversations; readonly first: boolean }
  | { readonly type: "conversation"; readonly conversation: Conversation }
  | {
      readonly type: "history";
      readonly conversation: ConversationId;
      readonly page: History;
    }
  /** The log begins again with a page that does not continue it. */
  | {
      readonly type: "restarted";
      readonly conversation: ConversationId;
      readonly page: History;
    }
  | { readonly type: "opened"; readonly conversation: ConversationId | null }
  /** The server says that the user has no such conversation. */
  | { readonly type: "missing"; readonly conversation: ConversationId }
  /** The reader is at the end: messages far above may be dropped. */
  | { readonly type: "at_end"; readonly conversation: ConversationId }
  | { readonly type: "seen"; readonly conversation: ConversationId; readonly seq: number }
  | { readonly type: "written"; readonly entries: readonly Entry[] }
  | { readonly type: "sent"; readonly entries: readonly Entry[] }
  | { readonly type: "unanswered" }
  | { readonly type: "retried"; readonly clientId: ClientId; readonly fresh: ClientId }
  | { readonly type: "discarded"; readonly clientId: ClientId }
  | { readonly type: "quiet"; readonly now: number };
