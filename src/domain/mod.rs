//! The values of the domain: identifiers, names, message texts. Pure values that
//! can only be made valid; nothing here knows a socket, an actor or SQL.

mod address;
mod agent;
mod authority;
mod id;
mod id_map;
mod kind;
mod members;
mod message_text;
mod name;
mod operation;
mod quota;
mod rate;
mod restart_intensity;
mod search;
mod server_key;
mod session;
mod visibility;
mod weak_password;

pub use address::AddressKey;
pub use agent::Agent;
pub use authority::{Action, Role, may};
pub use id::{ClientId, ConversationId, UserId};
pub use id_map::{IdHasher, IdMap};
pub use kind::Kind;
pub use members::{DirectPair, Members};
pub use message_text::{MessageText, MessageTextError};
pub use name::{Name, NameError, name_key, stored_skeleton};
pub use operation::Operation;
pub use quota::Quota;
pub use rate::{Bucket, Rate};
pub use restart_intensity::RestartIntensity;
pub use search::{search_continued, search_cursor, search_key, search_terms};
pub use server_key::ServerKey;
pub use session::{SessionFilter, SessionId, SessionSecret, TokenHash};
pub use visibility::Visibility;
pub use weak_password::Weakness;

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
