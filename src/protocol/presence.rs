//! Who is here, who watches, and who does not want to be seen.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::User;
use crate::domain::UserId;

/// Whose presence this connection wants to know; replaces what was asked before.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, TS)]
pub struct Watch {
    /// Whether the list of people, or at least its count, is on screen.
    #[serde(default)]
    pub list: bool,
    /// People watched wherever the list is, at most [`WATCH_MAX`].
    #[serde(default)]
    pub users: Vec<UserId>,
}

/// The most people that one connection watches by name.
pub const WATCH_MAX: usize = 200;

/// Whether the user has left this device alone. A user all of whose connections
/// are idle is away; one that says nothing of it counts as in use.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize, TS)]
pub struct Activity {
    pub idle: bool,
}

/// Who is here, in full: replaces what the client knew.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, TS)]
pub struct Presence {
    #[ts(type = "number")]
    pub version: u64,
    /// Everyone online.
    pub count: u32,
    /// Whether `online` is everyone; otherwise it is those of the watched who are online.
    pub complete: bool,
    pub online: Vec<User>,
    /// Those in `online` who are away.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[ts(as = "Option<Vec<UserId>>", optional)]
    pub away: Vec<UserId>,
}

/// What changed since the version before; at most one a second.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, TS)]
pub struct PresenceDiff {
    #[ts(type = "number")]
    pub version: u64,
    pub count: u32,
    /// They are not away, unless `away` has them too.
    pub joins: Vec<User>,
    pub leaves: Vec<UserId>,
    /// Those online who are away from now on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[ts(as = "Option<Vec<UserId>>", optional)]
    pub away: Vec<UserId>,
    /// Those online who are not away any more.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[ts(as = "Option<Vec<UserId>>", optional)]
    pub back: Vec<UserId>,
}

/// To the user's own connections only: what the user has chosen to be to others.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize, TS)]
pub struct Visibility {
    pub invisible: bool,
}
