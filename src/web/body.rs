use std::time::Duration;

use futures::{Stream, StreamExt};
use serde::de::DeserializeOwned;
use warp::Buf;
use warp::http::header::CONTENT_TYPE;
use warp::http::{HeaderMap, StatusCode};

use super::refusal::Refusal;
use crate::protocol::Code;

/// The most that a request's body may have.
const BODY_MAX_BYTES: usize = 64 * 1024;

/// How long a body may take to arrive.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);

/// The bytes of a body, or why they were not taken.
pub type Body = Result<Vec<u8>, Refusal>;

/// Collects a body within its bounds.
pub async fn collect<B: Buf>(stream: impl Stream<Item = Result<B, warp::Error>>) -> Body {
    let mut stream = std::pin::pin!(stream);
    let collected = async {
        let mut bytes = Vec::new();
        while let Some(chunk) = stream.next().await {
            let mut chunk = chunk.map_err(|error| {
                tracing::debug!(%error, "a body broke off");
                Refusal::new(Code::BadJson, "The body broke off.")
            })?;
            if bytes.len() + chunk.remaining() > BODY_MAX_BYTES {
                return Err(Refusal::new(Code::TooLarge, "The body has more than 64 KiB."));
            }
            let length = chunk.remaining();
            bytes.extend_from_slice(&chunk.copy_to_bytes(length));
        }
        Ok(bytes)
    };
    tokio::time::timeout(BODY_TIMEOUT, collected).await.unwrap_or_else(|_| {
        let refusal = Refusal::new(Code::BadJson, "The body did not arrive in time.");
        Err(refusal.with_status(StatusCode::REQUEST_TIMEOUT))
    })
}

/// Reads one JSON object (RFC 8259) out of a body.
pub fn json<T: DeserializeOwned>(headers: &HeaderMap, body: Body) -> Result<T, Refusal> {
    if !is_json(headers) {
        let message = "The body must come as application/json.";
        return Err(Refusal::new(Code::UnsupportedMediaType, message));
    }
    let body = body?;
    let text = std::str::from_utf8(&body).map_err(|_| Refusal::new(Code::BadJson, "This is not UTF-8."))?;
    crate::protocol::read(text).map_err(Refusal::from)
}

fn is_json(headers: &HeaderMap) -> bool {
    let given = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media_type = given.split(';').next().unwrap_or_default();
    media_type.trim().eq_ignore_ascii_case("application/json")
}
