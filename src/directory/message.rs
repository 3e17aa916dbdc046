use std::sync::Arc;

use tokio_tungstenite::tungstenite::Utf8Bytes;

use super::{ConnectionId, Envelope, Link};
use crate::domain::{ClientId, ConversationId, Seq, Text, UserId};
use crate::protocol::{Message, Problem};

/// What may be said to a user's actor.
#[derive(Debug)]
pub enum UserMessage {
    /// One of the user's connections received these frames.
    Frames(Vec<Envelope>),
    /// A connection has come.
    Attach(Link),
    /// A connection has gone.
    Detach(ConnectionId),
    /// What a batch means for this user, in the order of the log.
    Settled(Vec<Settled>),
    /// This actor is new and answers find it now, or a persistence actor was
    /// restarted or has given up what it held: submit again what has no answer.
    Resubmit,
    /// The presence actor was restarted: say again what is watched.
    Rewatch,
    /// The user has chosen anew whether to be seen by others.
    Visibility,
    /// A presence frame for connections that look.
    Presence(Utf8Bytes),
    /// Somebody is writing to this user; never stored.
    Typing(Utf8Bytes),
    /// The members of a conversation of this user, as asked by the actor
    /// itself; none when it is not one of this user's.
    Members(ConversationId, Option<Arc<[UserId]>>),
}

/// One consequence of a committed batch for one user.
#[derive(Clone, Debug)]
pub enum Settled {
    /// To the sender: what became of a submission.
    Answer(Answer),
    /// To everyone else in the conversation.
    Event(Committed),
    /// A `receipt` frame, of this user or of another member.
    Receipt(Utf8Bytes),
    /// This user gave a position in a conversation that is not this user's.
    NoSuchConversation(ConversationId),
}

/// A message on its way to be stored.
#[derive(Clone, Debug)]
pub struct Submission {
    pub sender: UserId,
    /// The connection that gets the answer; the sender's others see the message.
    pub origin: ConnectionId,
    pub client_id: ClientId,
    pub conversation: ConversationId,
    pub body: Text,
}

/// What became of a submission.
#[derive(Clone, Debug)]
pub struct Answer {
    pub origin: ConnectionId,
    pub client_id: ClientId,
    pub conversation: ConversationId,
    pub outcome: Result<Committed, Problem>,
}

/// A message that PostgreSQL has committed, encoded once for every reader.
#[derive(Clone, Debug)]
pub struct Committed {
    pub message: Arc<Message>,
    /// The `message` frame.
    pub frame: Utf8Bytes,
    /// Whether it had been stored before.
    pub duplicate: bool,
}

/// How far a user has received and read a conversation; 0 where nothing is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    pub user: UserId,
    pub conversation: ConversationId,
    pub delivered: Seq,
    pub read: Seq,
}
