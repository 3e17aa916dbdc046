use crate::domain::{ConversationId, Members, Seq, UserId, Visibility};
use crate::protocol::Receipt;
#[expect(unused_imports, reason = "for the documentation")]
use crate::protocol::UNREAD_MAX;

/// How far a user claims to have received and read a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    pub conversation: ConversationId,
    pub user: UserId,
    pub delivered: Seq,
    pub read: Seq,
}

impl Position {
    /// The receipt of the position; `unread` is for the user's own connections only.
    pub fn receipt(self, unread: Option<u32>) -> Receipt {
        let Self { conversation, user, delivered, read } = self;
        Receipt { conversation, user, delivered, read, unread }
    }
}

/// The result of a position.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PositionChange {
    /// It grew to this.
    Advanced {
        position: Position,
        /// The messages of others after `read`, up to [`UNREAD_MAX`]; none when
        /// only `delivered` grew.
        unread: Option<u32>,
        /// The user's choice at that time: others may not be told.
        visibility: Visibility,
        members: Members,
    },
    /// The user is not in that conversation.
    NoSuchConversation { user: UserId, conversation: ConversationId },
}
