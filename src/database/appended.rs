use time::OffsetDateTime;

use crate::domain::{ClientId, ConversationId, IdMap, Members, Operation, Seq, UserId};

/// An event to append.
#[derive(Clone, Copy, Debug)]
pub struct NewEvent<'a> {
    pub sender: UserId,
    pub client_id: ClientId,
    pub conversation: ConversationId,
    pub operation: &'a Operation,
}

/// The result of a batch.
#[derive(Debug, Default)]
pub struct Appended {
    /// One for each event, in the order given.
    pub outcomes: Vec<AppendOutcome>,
    /// Who is in the conversations of the batch.
    pub members: IdMap<ConversationId, Members>,
}

/// The result of one event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AppendOutcome {
    /// It is in the log. `duplicate`: it was there before this batch.
    Stored { seq: Seq, at: OffsetDateTime, duplicate: bool },
    /// Its sender has given this client id to another one in this conversation.
    IdReused,
    /// There is no such conversation, or the sender is not in it.
    NoSuchConversation,
    /// The number it is about is not that of a message.
    NoSuchMessage,
    /// As many messages are pinned as can be.
    TooManyPins,
}
