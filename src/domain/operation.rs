use super::{Kind, MessageText, Seq};

/// What somebody asks to be stored in a conversation's log, after its checks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operation {
    Message(MessageText),
    /// Pins the message with this number, or takes the pin off.
    Pin {
        target: Seq,
        on: bool,
    },
}

impl Operation {
    pub fn kind(&self) -> Kind {
        match self {
            Self::Message(_) => Kind::Message,
            Self::Pin { .. } => Kind::Pin,
        }
    }
}
