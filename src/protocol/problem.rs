use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

use super::Rule;

/// What is wrong, the same in frames and in HTTP bodies.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, TS, ToSchema)]
pub struct Problem {
    pub code: Code,
    /// One sentence for a person.
    pub message: String,
    /// The field of the request that is at fault.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    #[schema(nullable = false)]
    pub field: Option<String>,
    /// Of a name or a password that breaks a rule: which one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    #[schema(nullable = false)]
    pub rule: Option<Rule>,
    /// Wait this long before trying again.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    #[schema(nullable = false)]
    pub retry_after_ms: Option<u32>,
}

impl Problem {
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), field: None, rule: None, retry_after_ms: None }
    }

    pub fn field(mut self, field: impl Into<String>) -> Self {
        self.field = Some(field.into());
        self
    }

    pub fn retry_after_ms(mut self, wait: u32) -> Self {
        self.retry_after_ms = Some(wait);
        self
    }
}

/// Stable names of what can be wrong. Clients treat an unknown one by the kind
/// of answer it came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize, Serialize, TS, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// Not JSON, or not an object.
    BadJson,
    /// The `type` is missing or not known.
    UnknownType,
    /// A field is missing, doubled, or of the wrong type; `field` names it.
    InvalidField,
    /// The text is empty or cannot be stored.
    InvalidText,
    /// The text is longer than `limits.text_max_chars`.
    TextTooLong,
    /// The name breaks a rule; the sentence says which.
    InvalidName,
    InvalidPassword,
    /// `hello` must be the first frame, and only the first.
    HelloExpected,
    HelloRepeated,
    /// This `client_id` already names another operation.
    IdReused,
    /// No such thing, or not yours: the same answer.
    NotFound,
    /// As many messages are pinned as can be.
    TooManyPins,
    RateLimited,
    /// A bound is reached; nothing was lost, try again.
    Busy,
    /// The database cannot store now; try again.
    StorageUnavailable,
    NameTaken,
    /// The name exists and has a password.
    PasswordRequired,
    WrongPassword,
    /// No session, or one that has ended.
    Unauthorized,
    /// The page asking is not one of this server's.
    ForbiddenOrigin,
    /// The server does not answer for the host that was asked.
    UnknownHost,
    /// The request names no path of this server, or not one host.
    BadRequest,
    /// The upgrade lacks what RFC 6455 asks for; the sentence says what.
    BadUpgrade,
    MethodNotAllowed,
    UnsupportedMediaType,
    TooLarge,
    Internal,
}
