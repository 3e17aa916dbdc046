//! What one client did and saw, in the order in which it happened.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use tidings::domain::{ClientId, ConversationId, Seq, UserId};

/// The fingerprint of a message: sender, conversation, client id and a hash of the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MessageFingerprint {
    pub conversation: ConversationId,
    pub sender: UserId,
    pub client_id: ClientId,
    /// A hash of the body: millions of them are kept.
    pub body: u64,
}

impl MessageFingerprint {
    pub fn new(conversation: ConversationId, sender: UserId, client_id: ClientId, body: &str) -> Self {
        let mut hasher = DefaultHasher::new();
        body.hash(&mut hasher);
        Self { conversation, sender, client_id, body: hasher.finish() }
    }
}

impl From<&tidings::protocol::Event> for MessageFingerprint {
    fn from(event: &tidings::protocol::Event) -> Self {
        let body = event.body().expect("these clients send nothing but messages");
        Self::new(event.conversation, event.sender, event.client_id, body)
    }
}

/// A message at its position in the log of its conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    pub seq: Seq,
    pub message: MessageFingerprint,
}

/// One thing that a client did or saw.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Event {
    /// A message was sent, and is in flight until its result.
    Sent(MessageFingerprint),
    /// The result: it is in the log, at this position.
    Stored(ClientId, Seq),
    /// The result: it will never be stored.
    Refused(ClientId),
    /// It is on screen.
    Shown(Entry),
    /// The server took back what it had shown of a conversation.
    Undone(ConversationId),
}

/// A client's part of a run.
#[derive(Clone, Debug)]
pub struct History {
    pub user: UserId,
    /// Whose messages it shows.
    pub follows: Vec<ConversationId>,
    /// Each with its time since the start of the run.
    pub events: Vec<(Duration, Event)>,
}
