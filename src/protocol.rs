//! The wire: every JSON shape that crosses a socket. Those of HTTP are in `http`, those
//! about who is here in `presence`, what events say in `content`, and what can be wrong
//! in `problem`.
//!
//! `docs/protocol.md` is the contract in words; the TypeScript in
//! `client/src/sdk/protocol/generated.ts` is printed from these types by
//! `cargo run --example types`. Numbers stay below 2^53; ids and times are
//! strings. Unknown fields are ignored in both directions, so that fields can
//! be added; an unknown `type` is an error to the server and ignored by clients.

mod content;
mod http;
mod presence;
mod problem;
mod reading;
mod strict;

use std::cell::RefCell;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use tokio_tungstenite::tungstenite::{Bytes, Utf8Bytes};
use ts_rs::TS;
use utoipa::ToSchema;

use crate::domain::{ClientId, ConversationId, Seq, UserId};

pub use content::*;
pub use http::*;
pub use presence::*;
pub use problem::*;
pub use reading::{read, read_if_valid};

/// The WebSocket subprotocol (RFC 6455 §1.9) that names this version.
pub const SUBPROTOCOL: &str = "tidings.v2";

/// What a client may send. The first frame is `hello`.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, TS)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ClientFrame {
    Hello(Hello),
    Sync(Sync),
    Send(Send),
    GiveUp(GiveUp),
    Delivered(Position),
    Read(Position),
    Typing(Typing),
    Watch(Watch),
    Activity(Activity),
    Ping(Ping),
}

/// Opens the session: what this client holds, and what it looks at.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, TS)]
pub struct Hello {
    /// One for each conversation that the client holds; the others are listed over HTTP.
    pub cursors: Vec<Cursor>,
    /// Whose presence the client wants.
    #[serde(default)]
    pub watch: Watch,
    /// As in `activity`.
    #[serde(default, skip_serializing_if = "is_false")]
    #[ts(as = "Option<bool>", optional)]
    pub idle: bool,
}

/// The answer to `resync`, allowed at any time: replay what is missing again.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, TS)]
pub struct Sync {
    pub cursors: Vec<Cursor>,
}

/// How far a client holds a conversation without a gap.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize, TS)]
pub struct Cursor {
    pub conversation: ConversationId,
    /// The highest number held without a gap before it; 0 for nothing.
    #[ts(type = "number")]
    pub seq: Seq,
    /// The `at` of the event held there. Where another one is there now, what
    /// the client holds was undone, though the log may be as long again.
    #[serde(default, with = "reading::optional_time", skip_serializing_if = "Option::is_none")]
    #[ts(optional, type = "string")]
    pub at: Option<OffsetDateTime>,
}

impl Cursor {
    /// One that says nothing of the event there.
    pub fn new(conversation: ConversationId, seq: Seq) -> Self {
        Self { conversation, seq, at: None }
    }
}

/// One operation to be stored in a conversation's log. Answered with `stored`, or with
/// an `error` that names its `client_id`.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, TS)]
pub struct Send {
    /// The sender's own name for the operation, fresh for each.
    pub client_id: ClientId,
    pub conversation: ConversationId,
    #[serde(flatten)]
    pub content: Content,
}

/// A send that was refused for now, and that the client does not repeat: those
/// behind it need not wait for it any longer. It has no answer.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize, TS)]
pub struct GiveUp {
    pub client_id: ClientId,
}

/// How far a client has received (`delivered`) or shown (`read`) a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize, TS)]
pub struct Position {
    pub conversation: ConversationId,
    #[ts(type = "number")]
    pub seq: Seq,
}

/// The user is writing in a conversation; never stored.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize, TS)]
pub struct Typing {
    pub conversation: ConversationId,
}

/// The most messages pinned in one conversation.
pub const PINS_MAX: usize = 50;

/// The most cursors in one `hello` or `sync`.
pub const CURSORS_MAX: usize = 500;

/// Answered with `pong`: shows that the whole path to the session lives.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize, TS)]
pub struct Ping {}

/// What the server sends.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, TS)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ServerFrame {
    Welcome(Welcome),
    Synced(Synced),
    Resync(Resync),
    Stored(Stored),
    Event(Event),
    Hidden(Hidden),
    Receipt(Receipt),
    Typing(TypingBy),
    Presence(Presence),
    PresenceDiff(PresenceDiff),
    Visibility(Visibility),
    Error(ErrorFrame),
    Pong(Pong),
}

/// The answer to `hello`; replayed events and `synced` follow.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, TS)]
pub struct Welcome {
    pub user: User,
    /// Names this history. When it is not the one the client holds data of, the
    /// client drops what it holds and loads afresh; its outbox stays.
    pub epoch: String,
    pub limits: Limits,
    /// Whether the user has chosen to be invisible; `visibility` tells of changes.
    #[serde(default)]
    pub invisible: bool,
}

/// The limits a client keeps to.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, TS)]
pub struct Limits {
    pub text_max_chars: u32,
    /// Sends in flight before the client waits for an answer.
    pub unacknowledged_sends: u32,
    /// What a user may send on average, and at once; 0 for no limit.
    pub sends_per_second: u32,
    pub sends_burst: u32,
    pub typing_interval_ms: u32,
    pub typing_expiry_ms: u32,
    pub receipt_interval_ms: u32,
    pub reconnect_min_ms: u32,
    pub reconnect_max_ms: u32,
    pub history_page_max: u32,
}

/// Everything that was missing at `hello` or `sync` has been sent, but for:
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, TS)]
pub struct Synced {
    /// Too much was missing in these: page through the history.
    pub truncated: Vec<ConversationId>,
    /// The log of these does not go on from the cursor: drop them and load afresh.
    pub reset: Vec<ConversationId>,
}

/// The session was rebuilt: answer with `sync`, repeat `watch`, resend what has
/// not been answered. Nothing is to be shown to the user.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize, TS)]
pub struct Resync {}

/// The answer to `send`: it is committed, as this event.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, TS)]
pub struct Stored {
    pub client_id: ClientId,
    pub conversation: ConversationId,
    #[ts(type = "number")]
    pub seq: Seq,
    pub at: Arc<str>,
    /// Whether it had been stored before; the place is the first one.
    pub duplicate: bool,
}

/// One event of a conversation's log.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, TS, ToSchema)]
pub struct Event {
    pub conversation: ConversationId,
    #[ts(type = "number")]
    pub seq: Seq,
    pub sender: UserId,
    pub client_id: ClientId,
    /// RFC 3339, UTC, milliseconds: when the server stored it.
    #[schema(value_type = String, format = "date-time")]
    pub at: Arc<str>,
    #[serde(flatten)]
    pub content: Content,
}

/// An event that this client cannot be shown: its number is taken, and nothing else is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, TS)]
pub struct Hidden {
    pub conversation: ConversationId,
    #[ts(type = "number")]
    pub seq: Seq,
}

/// How far a member has got. Positions only grow; a lower one is old news.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, TS)]
pub struct Receipt {
    pub conversation: ConversationId,
    pub user: UserId,
    #[ts(type = "number")]
    pub delivered: Seq,
    #[ts(type = "number")]
    pub read: Seq,
    /// In the user's own receipts only: what is unread now, up to [`UNREAD_MAX`].
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub unread: Option<u32>,
}

/// Unread counts stop here: `100` means "100 or more".
pub const UNREAD_MAX: u32 = 100;

/// Somebody else is writing; forget it after `limits.typing_expiry_ms`.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize, TS)]
pub struct TypingBy {
    pub conversation: ConversationId,
    pub user: UserId,
}

/// Something was refused; the connection lives on.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, TS)]
pub struct ErrorFrame {
    #[serde(flatten)]
    pub error: Problem,
    /// The send that was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub client_id: Option<ClientId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub conversation: Option<ConversationId>,
    /// The send that was refused earlier and has to be repeated, or given up, first.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub after: Option<ClientId>,
}

/// The answer to `ping`.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize, TS)]
pub struct Pong {}

/// A user as others see one.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, TS, ToSchema)]
pub struct User {
    pub id: UserId,
    pub name: String,
}

impl Event {
    /// The text of a message.
    pub fn body(&self) -> Option<&str> {
        match &self.content {
            Content::Message { body } => Some(body),
            Content::Pin { .. } => None,
        }
    }
}

fn is_false(value: &bool) -> bool {
    !value
}

/// A count as it goes over the wire.
pub fn wire_count(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// What a thread keeps to encode frames in; a larger frame takes more for itself.
const SCRATCH_BYTES: usize = 16 * 1024;

impl ServerFrame {
    /// The text frame. It is shared, not copied, by all who are sent it.
    pub fn encode(&self) -> Utf8Bytes {
        thread_local! {
            // The frame is given no more than it needs, in one piece.
            static SCRATCH: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
        }
        SCRATCH.with_borrow_mut(|scratch| {
            scratch.clear();
            scratch.shrink_to(SCRATCH_BYTES);
            serde_json::to_writer(&mut *scratch, self)
                .expect("wire types have string keys and finite numbers only");
            Utf8Bytes::try_from(Bytes::copy_from_slice(scratch)).expect("JSON is UTF-8")
        })
    }
}
