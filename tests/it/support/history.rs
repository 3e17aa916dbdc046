//! What one client did and saw, in the order in which it happened.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use tidings::domain::{ClientId, ConversationId, Seq, UserId};
use tidings::protocol::Message;

/// A message by its fingerprint: who says what to whom, by which name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Letter {
    pub conversation: ConversationId,
    pub sender: UserId,
    pub client_id: ClientId,
    /// A hash of the body: millions of them are kept.
    pub body: u64,
}

impl Letter {
    pub fn new(conversation: ConversationId, sender: UserId, client_id: ClientId, body: &str) -> Self {
        let mut hasher = DefaultHasher::new();
        body.hash(&mut hasher);
        Self { conversation, sender, client_id, body: hasher.finish() }
    }
}

impl From<&Message> for Letter {
    fn from(message: &Message) -> Self {
        Self::new(message.conversation, message.sender, message.client_id, &message.body)
    }
}

/// A letter at its place in the log of its conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    pub seq: Seq,
    pub letter: Letter,
}

/// One thing that happened.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum What {
    /// It was written. From here on it is under way until its answer.
    Sent(Letter),
    /// The answer: it is in the log, at this place.
    Stored(ClientId, Seq),
    /// The answer: it will never be.
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
    pub events: Vec<(Duration, What)>,
}
