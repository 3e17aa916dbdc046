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
    /// Whether the user has chosen to be invisible to others.
    #[serde(default)]
    pub invisible: bool,
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

/// `PUT /api/session/visibility`.
#[derive(Clone, Copy, Deserialize, TS)]
pub struct SetVisibility {
    pub invisible: bool,
}

/// One person in `GET /api/users`.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, TS)]
pub struct Person {
    #[serde(flatten)]
    pub user: User,
    pub online: bool,
    /// RFC 3339, when last online; missing while online and when never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub last_seen: Option<String>,
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
    /// RFC 3339, when last online, exact to the minute; missing when never. Of
    /// somebody online it says nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub last_seen: Option<String>,
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

/// `GET /api/push`: the key that browsers subscribe with (`applicationServerKey`).
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, TS)]
pub struct PushKey {
    /// An uncompressed point on P-256 in base64url; none when this server sends no pushes.
    pub public_key: Option<String>,
}

/// `PUT /api/push/subscription`: what a browser's `PushSubscription.toJSON()` gives.
#[derive(Clone, Deserialize, TS)]
pub struct Subscription {
    /// Where its push service takes pushes for this browser: whoever knows it can send there.
    pub endpoint: String,
    pub keys: SubscriptionKeys,
}

/// What pushes to a browser are encrypted with (RFC 8291 §2), in base64url.
#[derive(Clone, Deserialize, TS)]
pub struct SubscriptionKeys {
    /// An uncompressed point on P-256: 65 bytes.
    pub p256dh: String,
    /// 16 bytes.
    pub auth: String,
}

/// What a push carries, decrypted by the browser: the newest message of a
/// conversation that its reader was not there for.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, TS)]
pub struct PushNotice {
    /// The reader.
    pub user: UserId,
    pub conversation: ConversationId,
    #[ts(type = "number")]
    pub seq: Seq,
    /// When the server stored it, as in `message`.
    pub at: String,
    pub sender: User,
    /// The beginning of the message, at most [`EXCERPT_MAX_CHARS`], on one line.
    pub excerpt: String,
    /// Unread messages of that conversation, up to [`UNREAD_MAX`](super::UNREAD_MAX).
    pub unread: u32,
}

/// Characters of a message that a push shows; what was cut ends with `…`.
pub const EXCERPT_MAX_CHARS: usize = 140;
