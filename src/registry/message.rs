use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tokio_tungstenite::tungstenite::Utf8Bytes;

use super::{ConnectionHandle, ConnectionId, Envelope, Heartbeat, InjectedFault};
use crate::domain::{ClientId, ConversationId, Members, Operation, Seq, SessionFilter, SessionId, UserId};
use crate::protocol::{Event, Problem, ServerFrame};

/// The messages that a user's actor handles.
#[derive(Debug)]
pub enum UserMessage {
    /// One of the user's connections received these frames.
    Frames(Vec<Envelope>),
    /// A connection has opened.
    Attach(ConnectionHandle),
    /// A connection has closed.
    Detach(ConnectionId),
    /// What a commit has for this user, in the order of the log.
    Deliver(Vec<UserDelivery>),
    /// Submit every unanswered send again: this actor is new and results find it
    /// now, or a persistence actor was restarted or gave up what it held.
    ResubmitInFlight,
    /// The presence actor was restarted: report again what is watched, and whether the
    /// user is away.
    ReannouncePresence,
    /// The user became visible or invisible to others.
    Visibility,
    /// Presence has taken this actor's report and accepts the next one.
    Reported,
    /// A presence frame for the connections that watch.
    Presence(Utf8Bytes),
    /// Somebody is typing to this user; never stored.
    Typing(Utf8Bytes),
    /// Who is in a conversation, which the actor itself asked for; `None` if the user is
    /// not one of them.
    Members(ConversationId, Option<Members>),
}

/// The messages that the supervisor of the users' actors handles.
#[derive(Debug)]
pub enum UserSupervisorMessage {
    /// A connection was added to the table.
    Attached(ConnectionHandle),
    /// A connection was removed from the table; by a log-out or otherwise.
    Detached { user: UserId, connection: ConnectionId, session: SessionId, logged_out: bool },
    /// These sessions of the user have ended; their connections close, or have closed.
    LoggedOut { user: UserId, sessions: SessionFilter },
    /// The user changed visibility; all of the user's connections know.
    Visibility(UserId),
    /// The presence actor is new: send it every user.
    Reconcile,
    /// Sessions may have expired, or have been ended by another server.
    CheckSessions,
    /// Answer it: the supervisor asks whether messages are handled.
    Heartbeat(Heartbeat),
    /// Have this fault: for tests.
    Fault(InjectedFault),
}

/// One consequence of a commit for one user.
#[derive(Clone, Debug)]
pub enum UserDelivery {
    /// To the sender: the result of a send.
    SendResult(SendResult),
    /// To everyone else in the conversation.
    Event(StoredEvent),
    /// A `receipt` frame, of this user or of another member.
    Receipt(Utf8Bytes),
    /// This user reported a position in a conversation of which they are no member.
    NoSuchConversation(ConversationId),
}

/// What a user's actor asks persistence to store.
#[derive(Clone, Debug)]
pub struct SendRequest {
    pub sender: UserId,
    /// The connection that gets the result; the sender's others get the event.
    pub origin: ConnectionId,
    pub client_id: ClientId,
    pub conversation: ConversationId,
    pub operation: Operation,
}

/// The result of a [`SendRequest`].
#[derive(Clone, Debug)]
pub struct SendResult {
    pub origin: ConnectionId,
    pub client_id: ClientId,
    pub conversation: ConversationId,
    pub outcome: Result<StoredEvent, Problem>,
}

/// An event that PostgreSQL has committed, encoded once for every reader.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(from = "WireEvent", into = "WireEvent")]
pub struct StoredEvent {
    pub event: Arc<Event>,
    /// The `event` frame.
    pub frame: Utf8Bytes,
    /// Whether it had been stored before.
    pub duplicate: bool,
}

/// A [`StoredEvent`] on its way to another process, which encodes the frame again.
#[derive(Serialize, Deserialize)]
struct WireEvent {
    event: Arc<Event>,
    duplicate: bool,
}

impl StoredEvent {
    pub fn new(event: Event, duplicate: bool) -> Self {
        let frame = ServerFrame::Event(event);
        let encoded = frame.encode();
        let ServerFrame::Event(event) = frame else { unreachable!("made two lines above") };
        Self { event: Arc::new(event), frame: encoded, duplicate }
    }
}

impl From<WireEvent> for StoredEvent {
    fn from(WireEvent { event, duplicate }: WireEvent) -> Self {
        Self::new(Arc::unwrap_or_clone(event), duplicate)
    }
}

impl From<StoredEvent> for WireEvent {
    fn from(StoredEvent { event, duplicate, .. }: StoredEvent) -> Self {
        Self { event, duplicate }
    }
}

/// How far a user has received and read a conversation; 0 means "unchanged".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReceiptUpdate {
    pub user: UserId,
    pub conversation: ConversationId,
    pub delivered: Seq,
    pub read: Seq,
}
