use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

use crate::domain::{Kind, Operation, Seq};

/// What an event of a log says, by its `kind`: the same in `send` and in `event`. What
/// each kind means for counts and notifications is in [`Kind`].
#[derive(Clone, PartialEq, Eq, Deserialize, Serialize, TS, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Content {
    /// Somebody says something.
    Message {
        /// 1 to `limits.text_max_chars` characters, plain text.
        #[schema(value_type = String)]
        body: Arc<str>,
    },
    /// A message is pinned, or not any longer.
    Pin {
        /// The number of the message.
        #[ts(type = "number")]
        target: Seq,
        on: bool,
    },
}

impl From<&Operation> for Content {
    fn from(operation: &Operation) -> Self {
        match operation {
            Operation::Message(text) => Self::Message { body: text.shared() },
            Operation::Pin { target, on } => Self::Pin { target: *target, on: *on },
        }
    }
}

impl Content {
    pub fn message(text: &str) -> Self {
        Self::Message { body: text.into() }
    }

    pub fn kind(&self) -> Kind {
        match self {
            Self::Message { .. } => Kind::Message,
            Self::Pin { .. } => Kind::Pin,
        }
    }
}

/// The length only of a message: its text does not belong in logs.
impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Message { body } => write!(f, "Message({} bytes)", body.len()),
            Self::Pin { target, on } => {
                f.debug_struct("Pin").field("target", target).field("on", on).finish()
            }
        }
    }
}
