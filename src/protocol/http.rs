//! The bodies of HTTP requests and answers.

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};

use super::{Event, User};
use crate::domain::{ConversationId, Seq, UserId};

/// `POST /api/session`.
#[derive(Clone, Deserialize, TS, ToSchema)]
pub struct LogIn {
    pub name: String,
    #[serde(default)]
    #[ts(optional)]
    #[schema(nullable = false)]
    pub password: Option<String>,
    /// Ask for the secret in the answer instead of a cookie, for programs.
    #[serde(default)]
    #[ts(optional)]
    #[schema(nullable = false)]
    pub bearer: Option<bool>,
}

/// The answer of `POST` and `GET /api/session`.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, TS, ToSchema)]
pub struct Session {
    pub user: User,
    pub has_password: bool,
    /// Whether the user has chosen to be invisible to others.
    #[serde(default)]
    pub invisible: bool,
    /// Only when asked for with `bearer`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    #[schema(nullable = false)]
    pub token: Option<String>,
}

/// The answer of `GET /api/session` to a browser that holds no session: not an
/// error, which browsers would write to the console of every newcomer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, TS, ToSchema)]
pub struct NoSession {
    #[schema(schema_with = null)]
    pub user: (),
}

fn null() -> Schema {
    ObjectBuilder::new().schema_type(Type::Null).into()
}

/// `PUT /api/session/password`.
#[derive(Clone, Deserialize, TS, ToSchema)]
pub struct SetPassword {
    pub password: String,
    /// The old one, when there is one.
    #[serde(default)]
    #[ts(optional)]
    #[schema(nullable = false)]
    pub current: Option<String>,
}

/// The rules of names (`invalid_name`) and passwords (`invalid_password`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, TS, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    Empty,
    TooShort,
    TooLong,
    /// A character that cannot be seen.
    Invisible,
    /// A character that names do not have.
    NotAllowed,
    /// It begins or ends with what stands between letters.
    Edge,
    DoubledSeparator,
    TooManyMarks,
    MixedScripts,
    /// The name would speak for the server.
    Reserved,
    /// The password is one that most people have.
    Common,
    /// The password is hardly more than the name.
    LikeName,
    /// The password is a row, or a repetition.
    Repetitive,
}

/// `GET /api/sessions`: the caller's own, the one used last first.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, TS, ToSchema)]
pub struct Sessions {
    pub sessions: Vec<OpenSession>,
}

/// One place where the caller is logged in.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, TS, ToSchema)]
pub struct OpenSession {
    /// For `DELETE /api/sessions/{id}`; it opens nothing.
    pub id: String,
    /// RFC 3339: when it began.
    pub created: String,
    /// The day (UTC) on which it was last used: `2026-11-29`.
    pub last_used: String,
    /// A word each for what logged in (`Firefox`, `Linux`), where that was said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    #[schema(nullable = false)]
    pub browser: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    #[schema(nullable = false)]
    pub system: Option<String>,
    /// Whether it is the one that asks.
    pub current: bool,
}

/// `PUT /api/session/visibility`.
#[derive(Clone, Copy, Deserialize, TS, ToSchema)]
pub struct SetVisibility {
    pub invisible: bool,
}

/// One person in `GET /api/users`.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, TS, ToSchema)]
pub struct Person {
    #[serde(flatten)]
    pub user: User,
    pub online: bool,
    /// RFC 3339, when last online; missing while online and when never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    #[schema(nullable = false)]
    pub last_seen: Option<String>,
}

/// `GET /api/users`.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, TS, ToSchema)]
pub struct People {
    pub users: Vec<Person>,
    /// Give it back as `after` for the next page.
    #[schema(required = true)]
    pub next: Option<String>,
    /// Everyone online, whatever the search.
    pub online: u32,
}

/// `POST /api/conversations`: the direct one with this user, made if there is none.
#[derive(Clone, Copy, Deserialize, TS, ToSchema)]
pub struct OpenConversation {
    pub user: UserId,
}

/// A conversation as its member sees it.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, TS, ToSchema)]
pub struct Conversation {
    pub id: ConversationId,
    pub members: Vec<Member>,
    /// The number of the last event; 0: there is none yet.
    #[ts(type = "number")]
    pub last_seq: Seq,
    /// RFC 3339: when that event was stored.
    #[schema(required = true)]
    pub last_at: Option<String>,
    /// The last message.
    #[schema(required = true)]
    pub last: Option<Event>,
    /// Messages of others after the own read position, up to [`UNREAD_MAX`].
    pub unread: u32,
    /// The numbers of the pinned messages, the one pinned first in front, as of `last_seq`.
    #[ts(type = "Array<number>")]
    pub pins: Vec<Seq>,
}

/// A member and how far that member has got.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, TS, ToSchema)]
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
    #[schema(nullable = false)]
    pub last_seen: Option<String>,
}

/// `GET /api/conversations`: most recent first.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, TS, ToSchema)]
pub struct Conversations {
    pub conversations: Vec<Conversation>,
    /// Give it back as `before` for the next page.
    #[schema(required = true)]
    pub next: Option<String>,
}

/// `GET /api/conversations/{id}/messages`: some messages as they are at `last_seq`, in
/// order. Whatever else has a number from `from` to `to` is a change that is part of them.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, TS, ToSchema)]
pub struct History {
    pub messages: Vec<Event>,
    /// The first number that the page covers: `before=` it brings the page before.
    #[ts(type = "number")]
    pub from: Seq,
    /// The last number that the page covers: `after=` it brings the page after.
    #[ts(type = "number")]
    pub to: Seq,
    #[ts(type = "number")]
    pub last_seq: Seq,
    /// RFC 3339: when that event was stored, for the cursor of a client that holds
    /// everything up to it.
    #[schema(required = true)]
    pub last_at: Option<String>,
}

/// `GET /api/push`: the key that browsers subscribe with (`applicationServerKey`).
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, TS, ToSchema)]
pub struct PushKey {
    /// An uncompressed point on P-256 in base64url; none when this server sends no pushes.
    #[schema(required = true)]
    pub public_key: Option<String>,
}

/// `PUT /api/push/subscription`: what a browser's `PushSubscription.toJSON()` gives.
#[derive(Clone, Deserialize, TS, ToSchema)]
pub struct Subscription {
    /// Where its push service takes pushes for this browser: whoever knows it can send there.
    pub endpoint: String,
    pub keys: SubscriptionKeys,
}

/// What pushes to a browser are encrypted with (RFC 8291 §2), in base64url.
#[derive(Clone, Deserialize, TS, ToSchema)]
pub struct SubscriptionKeys {
    /// An uncompressed point on P-256: 65 bytes.
    pub p256dh: String,
    /// 16 bytes.
    pub auth: String,
}

/// What a push carries, decrypted by the browser: the newest message of a
/// conversation that its reader was not there for.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, TS, ToSchema)]
pub struct PushNotice {
    /// The reader.
    pub user: UserId,
    pub conversation: ConversationId,
    #[ts(type = "number")]
    pub seq: Seq,
    /// When the server stored it, as in `event`.
    pub at: String,
    pub sender: User,
    /// The beginning of the message, at most [`EXCERPT_MAX_CHARS`], on one line.
    pub excerpt: String,
    /// Unread messages of that conversation, up to [`UNREAD_MAX`](super::UNREAD_MAX).
    pub unread: u32,
}

/// Characters of a message that a push shows; what was cut ends with `…`.
pub const EXCERPT_MAX_CHARS: usize = 140;
