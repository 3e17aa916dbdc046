use std::convert::Infallible;
use std::time::Duration;

use bytes::Bytes;
use warp::http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER};
use warp::http::{Response as HttpResponse, StatusCode};
use warp::reject::Rejection;
use warp::reply::{Reply, Response};

use crate::accounts::{AccountError, PasswordError};
use crate::database::DatabaseError;
use crate::domain::NameError;
use crate::metrics;
use crate::protocol::{Code, Problem, Rule};

/// Where attempts of any kind are limited within a short time.
pub const TOO_MANY_ATTEMPTS: &str = "Too many attempts. Wait a moment, then try again.";

/// How long a client should wait when the database is unavailable or a limit is reached.
const TRY_AGAIN: Duration = Duration::from_secs(1);

/// The answer to a request that was refused or failed. Every error of the API has
/// this form.
#[derive(Clone, Debug)]
pub struct ApiError(Box<Parts>);

#[derive(Clone, Debug)]
struct Parts {
    status: StatusCode,
    problem: Problem,
    header: Option<(HeaderName, HeaderValue)>,
}

impl ApiError {
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Problem::new(code, message).into()
    }

    /// Names the invalid field.
    pub fn field(mut self, field: impl Into<String>) -> Self {
        self.0.problem.field = Some(field.into());
        self
    }

    /// Names the rule that the field breaks.
    pub fn rule(mut self, rule: Rule) -> Self {
        self.0.problem.rule = Some(rule);
        self
    }

    /// An invalid field, with what is wrong about it as the end of a sentence.
    pub fn invalid_field(field: &str, rule: &str) -> Self {
        Self::new(Code::InvalidField, format!("`{field}` {rule}.")).field(field)
    }

    pub fn unauthorized() -> Self {
        Self::new(Code::Unauthorized, "Log in first.")
    }

    pub fn not_found() -> Self {
        Self::new(Code::NotFound, "Not found.")
    }

    pub fn rate_limited(message: &str, wait: Duration) -> Self {
        Self::new(Code::RateLimited, message).retry_after(wait)
    }

    pub fn busy() -> Self {
        Self::new(Code::Busy, "The server is busy. Try again in a moment.").retry_after(TRY_AGAIN)
    }

    pub fn internal() -> Self {
        Self::new(Code::Internal, "Something went wrong on the server.")
    }

    pub fn with_status(mut self, status: StatusCode) -> Self {
        self.0.status = status;
        self
    }

    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.0.header = Some((name, value));
        self
    }

    fn retry_after(mut self, wait: Duration) -> Self {
        let milliseconds = u32::try_from(wait.as_millis()).unwrap_or(u32::MAX);
        self.0.problem.retry_after_ms = Some(milliseconds.max(1));
        self.0.header =
            Some((RETRY_AFTER, HeaderValue::from(u64::from(milliseconds.div_ceil(1_000)).max(1))));
        self
    }
}

impl From<Problem> for ApiError {
    fn from(problem: Problem) -> Self {
        Self(Box::new(Parts { status: status_of(problem.code), problem, header: None }))
    }
}

impl From<DatabaseError> for ApiError {
    fn from(error: DatabaseError) -> Self {
        if error.is_unavailable() {
            tracing::warn!(%error, "a request waits for the database");
            let message = "The database can't be reached right now. Try again in a moment.";
            Self::new(Code::StorageUnavailable, message).retry_after(TRY_AGAIN)
        } else {
            tracing::error!(%error, "a request failed");
            Self::internal()
        }
    }
}

impl From<AccountError> for ApiError {
    fn from(error: AccountError) -> Self {
        let wrong_password = |field: &str| Self::new(Code::WrongPassword, "Wrong password.").field(field);
        match error {
            AccountError::InvalidName(error) => error.into(),
            AccountError::NameTaken => {
                let message = "That name is taken, or too similar to one that is.";
                Self::new(Code::NameTaken, message).field("name")
            }
            AccountError::UnfitPassword(error) => error.into(),
            AccountError::PasswordRequired => {
                let message = "This name has a password. Enter it to log in.";
                Self::new(Code::PasswordRequired, message).field("password")
            }
            AccountError::WrongPassword => wrong_password("password"),
            AccountError::WrongCurrentPassword => wrong_password("current"),
            AccountError::TooManyAttempts { retry_after } => {
                Self::rate_limited(TOO_MANY_ATTEMPTS, retry_after)
            }
            AccountError::TooManyLogIns { retry_after } => {
                let message = "There have been too many log-ins to this name today. Try again later.";
                Self::rate_limited(message, retry_after)
            }
            AccountError::SessionEnded => Self::unauthorized(),
            AccountError::NoSuchSession => Self::not_found(),
            AccountError::Busy => Self::busy(),
            AccountError::Internal => Self::internal(),
            AccountError::Database(error) => error.into(),
        }
    }
}

impl From<NameError> for ApiError {
    fn from(error: NameError) -> Self {
        let rule = match error {
            NameError::Empty => Rule::Empty,
            NameError::TooShort => Rule::TooShort,
            NameError::TooLong => Rule::TooLong,
            NameError::Invisible => Rule::Invisible,
            NameError::NotAllowed(_) => Rule::NotAllowed,
            NameError::Edge => Rule::Edge,
            NameError::DoubledSeparator => Rule::DoubledSeparator,
            NameError::TooManyMarks => Rule::TooManyMarks,
            NameError::MixedScripts => Rule::MixedScripts,
            NameError::Reserved => Rule::Reserved,
        };
        Self::new(Code::InvalidName, error.to_string()).field("name").rule(rule)
    }
}

impl From<PasswordError> for ApiError {
    fn from(error: PasswordError) -> Self {
        let rule = match error {
            PasswordError::TooShort => Rule::TooShort,
            PasswordError::TooLong => Rule::TooLong,
            PasswordError::Common => Rule::Common,
            PasswordError::LikeName => Rule::LikeName,
            PasswordError::Repetitive => Rule::Repetitive,
        };
        Self::new(Code::InvalidPassword, error.to_string()).field("password").rule(rule)
    }
}

impl Reply for ApiError {
    fn into_response(self) -> Response {
        let Parts { status, problem, header } = *self.0;
        metrics::refused(problem.code);
        let mut response = json(status, &problem);
        if let Some((name, value)) = header {
            response.headers_mut().insert(name, value);
        }
        response
    }
}

/// A response with JSON that no cache may store.
pub fn json(status: StatusCode, value: &impl serde::Serialize) -> Response {
    let body = serde_json::to_string(value).expect("wire types have string keys and finite numbers only");
    json_response(status, body.into())
}

/// As [`json`], with a body that is JSON already.
pub fn json_response(status: StatusCode, body: Bytes) -> Response {
    let mut response = HttpResponse::new(body.into());
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Every route makes its own response. A rejection shows that one does not.
pub async fn recover(rejection: Rejection) -> Result<ApiError, Infallible> {
    tracing::error!(?rejection, "a rejection that no route should make");
    Ok(ApiError::internal())
}

fn status_of(code: Code) -> StatusCode {
    match code {
        Code::PasswordRequired | Code::WrongPassword | Code::Unauthorized => StatusCode::UNAUTHORIZED,
        Code::ForbiddenOrigin => StatusCode::FORBIDDEN,
        Code::UnknownHost => StatusCode::MISDIRECTED_REQUEST,
        Code::NotFound => StatusCode::NOT_FOUND,
        Code::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
        Code::NameTaken | Code::IdReused => StatusCode::CONFLICT,
        Code::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Code::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        Code::RateLimited => StatusCode::TOO_MANY_REQUESTS,
        Code::Busy | Code::StorageUnavailable => StatusCode::SERVICE_UNAVAILABLE,
        Code::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        _ => StatusCode::BAD_REQUEST,
    }
}
