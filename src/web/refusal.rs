use std::convert::Infallible;
use std::time::Duration;

use warp::http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER};
use warp::http::{Response as HttpResponse, StatusCode};
use warp::reject::Rejection;
use warp::reply::{Reply, Response};

use crate::database::DatabaseError;
use crate::metrics;
use crate::protocol::{Code, Problem};

/// How long a client should wait when the database is away or a bound is hit.
const TRY_AGAIN: Duration = Duration::from_secs(1);

/// A request that is not answered as it was meant: the one shape of every
/// error of the API.
#[derive(Clone, Debug)]
pub struct Refusal(Box<Parts>);

#[derive(Clone, Debug)]
struct Parts {
    status: StatusCode,
    problem: Problem,
    header: Option<(HeaderName, HeaderValue)>,
}

impl Refusal {
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Problem::new(code, message).into()
    }

    /// Names the field at fault.
    pub fn field(mut self, field: impl Into<String>) -> Self {
        self.0.problem.field = Some(field.into());
        self
    }

    /// The same for any field that is not what it should be.
    pub fn invalid_field(field: &str, rule: &str) -> Self {
        Self::new(Code::InvalidField, format!("`{field}` {rule}.")).field(field)
    }

    pub fn unauthorized() -> Self {
        Self::new(Code::Unauthorized, "Log in first.")
    }

    pub fn not_found() -> Self {
        Self::new(Code::NotFound, "There is no such thing here.")
    }

    pub fn rate_limited(wait: Duration) -> Self {
        Self::new(Code::RateLimited, "Too many attempts; wait a moment.").retry_after(wait)
    }

    pub fn busy() -> Self {
        Self::new(Code::Busy, "The server is busy; try again.").retry_after(TRY_AGAIN)
    }

    pub fn internal() -> Self {
        Self::new(Code::Internal, "The server failed to answer this.")
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

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Self(Box::new(Parts { status: status_of(problem.code), problem, header: None }))
    }
}

impl From<DatabaseError> for Refusal {
    fn from(error: DatabaseError) -> Self {
        if error.is_unavailable() {
            tracing::warn!(%error, "a request waits for the database");
            let message = "The database cannot be reached now; try again.";
            Self::new(Code::StorageUnavailable, message).retry_after(TRY_AGAIN)
        } else {
            tracing::error!(%error, "a request failed");
            Self::internal()
        }
    }
}

impl Reply for Refusal {
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

/// Answers with JSON that no cache keeps.
pub fn json(status: StatusCode, value: &impl serde::Serialize) -> Response {
    let body = serde_json::to_string(value).expect("wire types have string keys and finite numbers only");
    let mut response = HttpResponse::new(body.into());
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Every route answers for itself; a rejection shows that one does not.
pub async fn recover(rejection: Rejection) -> Result<Refusal, Infallible> {
    tracing::error!(?rejection, "a rejection that no route should make");
    Ok(Refusal::internal())
}

fn status_of(code: Code) -> StatusCode {
    match code {
        Code::PasswordRequired | Code::WrongPassword | Code::Unauthorized => StatusCode::UNAUTHORIZED,
        Code::ForbiddenOrigin => StatusCode::FORBIDDEN,
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
