/// What an event of a conversation's log is, and what follows from that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Something somebody says.
    Message,
    /// A message is pinned, or not any longer.
    Pin,
}

impl Kind {
    /// Whether it is kept with the messages: only those count as unread, are what a page
    /// of history counts, and can be the preview of a conversation. The others are changes
    /// of what is there.
    pub fn is_message(self) -> bool {
        match self {
            Self::Message => true,
            Self::Pin => false,
        }
    }

    /// Whether somebody who is not there is notified of it.
    pub fn notifies(self) -> bool {
        match self {
            Self::Message => true,
            Self::Pin => false,
        }
    }
}
