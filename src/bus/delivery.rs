use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::directory::{CloseReason, StoredEvent};
use crate::domain::{ConversationId, DirectPair, Members, SessionId, UserId, Visibility};
use crate::protocol::{Event, Receipt};

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
    SessionsEnded { user: UserId, sessions: Sessions, why: CloseReason },
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

/// Some of a user's sessions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Sessions {
    All,
    One(SessionId),
    AllBut(SessionId),
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

impl Sessions {
    pub fn contains(self, session: SessionId) -> bool {
        match self {
            Self::All => true,
            Self::One(one) => session == one,
            Self::AllBut(other) => session != other,
        }
    }
}

impl EventDelivery {
    pub fn event(&self) -> &Arc<Event> {
        &self.stored.event
    }
}
