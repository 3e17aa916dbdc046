use serde::{Deserialize, Serialize};

use crate::domain::{ConversationId, DirectPair, Members, SessionFilter, UserId, Visibility};
use crate::protocol::Receipt;
use crate::registry::{CloseReason, StoredEvent};

/// Something that others are to hear of, wherever they are connected. All of it can travel
/// to another process.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Delivery {
    /// The events of a committed batch, in the order of the logs.
    Events(Vec<EventDelivery>),
    /// Positions that have grown.
    Receipts(Vec<ReceiptDelivery>),
    /// Somebody is typing.
    Typing { user: UserId, conversation: ConversationId, to: Recipients },
    /// A user has become visible or invisible.
    Visibility { user: UserId, visibility: Visibility },
    /// Sessions of a user have ended: their connections close.
    SessionsEnded { user: UserId, sessions: SessionFilter, why: CloseReason },
}

/// An event, for all of its recipients but its sender.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EventDelivery {
    pub stored: StoredEvent,
    pub to: Recipients,
}

/// A receipt, for all of its recipients but its user, unless it is for that user alone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReceiptDelivery {
    pub receipt: Receipt,
    pub to: Recipients,
}

/// To whom something goes. The members of a group are known where it arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Recipients {
    User(UserId),
    Direct(DirectPair),
    Group(ConversationId),
}

impl Recipients {
    /// The members of a conversation.
    pub fn of(conversation: ConversationId, members: Members) -> Self {
        match members {
            Members::Direct(pair) => Self::Direct(pair),
            Members::Group => Self::Group(conversation),
        }
    }
}
