//! What the words mean: identifiers, names, message texts. Pure values that
//! can only be made valid; nothing here knows a socket, an actor or SQL.

mod budget;
mod id;
mod name;
mod session;
mod text;
mod visibility;

pub use budget::Budget;
pub use id::{ClientId, ConversationId, UserId};
pub use name::{Name, NameError, name_key};
pub use session::{SessionId, SessionSecret};
pub use text::{Text, TextError};
pub use visibility::Visibility;

use time::OffsetDateTime;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;

/// A place in a conversation's log: dense, from 1. Stays below 2^53, so that
/// JavaScript holds it exactly.
pub type Seq = u64;

/// The largest integer that every JSON reader holds exactly (RFC 8259 §6).
pub const MAX_SAFE_INTEGER: u64 = (1 << 53) - 1;

const MILLIS: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");

/// RFC 3339 in UTC with milliseconds, as every time on the wire is written.
pub fn rfc3339(at: OffsetDateTime) -> String {
    at.to_offset(time::UtcOffset::UTC).format(&MILLIS).unwrap_or_default()
}
