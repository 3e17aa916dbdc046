//! The bodies of HTTP requests and answers.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::{Message, User};
use crate::domain::{ConversationId, Seq, UserId};

/// `POST /api/session`.
#[derive(Clone, Deserialize, TS)]
pub struct LogIn {
    pub name: String,
    #[serde(default)]
    #[ts(optional)]
    pub password: Option<String>,
    /// Ask for the secret in the answer instead of a cookie, for programs.
    #[serde(default)]
    #[ts(optional)]
    pub bearer: Option<bool>,
}

/// The answer of `POST` and `GET /api/session`.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, TS)]
pub struct Session {
    pub user: User,
    pub has_password: bool,
    /// Only when asked for with `bearer`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub token: Option<String>,
}

/// `PUT /api/session/password`.
#[derive(Clone, Deserialize, TS)]
pub struct SetPassword {
    pub password: String,
    /// The old one, when there is one.
    #[serde(default)]
    #[ts(optional)]
    pub current: Option<String>,
}

/// One person in `GET /api/users`.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, TS)]
pub struct Person {
    #[serde(flatten)]
    pub user: User,
    pub online: bool,
}

/// `GET /api/users`.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, TS)]
pub struct People {
    pub users: Vec<Person>,
    /// Give it back as `after` for the next page.
    pub next: Option<String>,
    /// Everyone online, whatever the search.
    pub online: u32,
}

/// `POST /api/conversations`: the direct one with this user, made if there is none.
#[derive(Clone, Copy, Deserialize, TS)]
pub struct OpenConversation {
    pub user: UserId,
}

/// A conversation as its member sees it.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, TS)]
pub struct Conversation {
    pub id: ConversationId,
    pub members: Vec<Member>,
    #[ts(type = "number")]
    pub last_seq: Seq,
    pub last: Option<Message>,
    /// Messages of others after the own read position, up to [`UNREAD_MAX`].
    pub unread: u32,
}

/// A member and how far that member has got.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, TS)]
pub struct Member {
    pub user: User,
    #[ts(type = "number")]
    pub delivered: Seq,
    #[ts(type = "number")]
    pub read: Seq,
}

/// `GET /api/conversations`: most recent first.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, TS)]
pub struct Conversations {
    pub conversations: Vec<Conversation>,
    /// Give it back as `before` for the next page.
    pub next: Option<String>,
}

/// `GET /api/conversations/{id}/messages`: in order, oldest first.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, TS)]
pub struct History {
    pub messages: Vec<Message>,
    #[ts(type = "number")]
    pub last_seq: Seq,
}
