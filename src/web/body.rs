use std::time::Duration;

use futures::{Stream, StreamExt};
use serde::de::DeserializeOwned;
use warp::Buf;
use warp::http::header::CONTENT_TYPE;
use warp::http::{HeaderMap, StatusCode};

use super::api_error::ApiError;
use crate::protocol::Code;

/// The largest body that a request may have.
const BODY_MAX_BYTES: usize = 64 * 1024;

/// How long a body may take to arrive.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);

/// The bytes of a body, or why they were not accepted.
pub type Body = Result<Vec<u8>, ApiError>;

/// Collects a body within the limits of size and time.
pub async fn collect<B: Buf>(stream: impl Stream<Item = Result<B, warp::Error>>) -> Body {
    let mut stream = std::pin::pin!(stream);
    let collected = async {
        let mut bytes = Vec::new();
        while let Some(chunk) = stream.next().await {
            let mut chunk = chunk.map_err(|error| {
                tracing::debug!(%error, "a body broke off");
                ApiError::new(Code::BadJson, "The request body ended too early.")
            })?;
            if bytes.len() + chunk.remaining() > BODY_MAX_BYTES {
                return Err(ApiError::new(Code::TooLarge, "The request body is larger than 64 KiB."));
            }
            let length = chunk.remaining();
            bytes.extend_from_slice(&chunk.copy_to_bytes(length));
        }
        Ok(bytes)
    };
    tokio::time::timeout(BODY_TIMEOUT, collected).await.unwrap_or_else(|_| {
        let error = ApiError::new(Code::BadJson, "The request body took too long to arrive.");
        Err(error.with_status(StatusCode::REQUEST_TIMEOUT))
    })
}

/// Parses a body as JSON (RFC 8259).
pub fn json<T: DeserializeOwned>(headers: &HeaderMap, body: Body) -> Result<T, ApiError> {
    if !is_json(headers) {
        let message = "The request body must be sent as application/json.";
        return Err(ApiError::new(Code::UnsupportedMediaType, message));
    }
    let body = body?;
    let text = std::str::from_utf8(&body)
        .map_err(|_| ApiError::new(Code::BadJson, "The request body is not UTF-8."))?;
    crate::protocol::read(text).map_err(ApiError::from)
}

fn is_json(headers: &HeaderMap) -> bool {
    let given = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media_type = given.split(';').next().unwrap_or_default();
    media_type.trim().eq_ignore_ascii_case("application/json")
}

#[cfg(test)]
mod tests {
    use warp::http::HeaderValue;
    use warp::reply::Reply;

    use super::*;
    use crate::fuzz::Choices;
    use crate::protocol::{LogIn, OpenConversation, SetPassword};

    const SEEDS: [&str; 3] = [
        r#"{"name":"Ada","password":"correct horse","bearer":true}"#,
        r#"{"user":"0199a3b0-0000-7000-8000-000000000001"}"#,
        r#"{"password":"correct horse","current":null}"#,
    ];
    const TOKENS: [&str; 22] = [
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"",
        "\\",
        "\"name\":",
        "\"user\":",
        "\"password\":",
        "null",
        "true",
        "7",
        "1e400",
        "-",
        "\\ud800",
        "\\u0000",
        "\"__proto__\":{}",
        "[[",
        "{\"a\":",
        " ",
    ];

    fn status<T>(outcome: Result<T, ApiError>) -> u16 {
        outcome.err().map_or(200, |error| error.into_response().status().as_u16())
    }

    #[test]
    fn b09_a_body_is_what_it_should_be_or_refused() {
        let json_is = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static("application/json"))]);
        bolero::check!().for_each(|bytes: &[u8]| {
            let mut choices = Choices::new(bytes);
            let mut body = choices.text(&SEEDS, &TOKENS).into_bytes();
            if choices.byte() == 1 {
                // Not always UTF-8.
                let place = choices.below(body.len() + 1);
                body.splice(place..place, choices.bytes(4).iter().copied());
            }
            let is_object =
                serde_json::from_slice::<serde_json::Map<String, serde_json::Value>>(&body).is_ok();
            let read = [
                status(json::<LogIn>(&json_is, Ok(body.clone()))),
                status(json::<SetPassword>(&json_is, Ok(body.clone()))),
                status(json::<OpenConversation>(&json_is, Ok(body.clone()))),
            ];
            assert!(read.iter().all(|status| [200, 400].contains(status)), "{read:?}");
            if let Ok(LogIn { name, .. }) = json::<LogIn>(&json_is, Ok(body.clone())) {
                let said: serde_json::Value = serde_json::from_slice(&body).unwrap_or_default();
                assert!(!is_object || said["name"] == name, "{said}");
            }
            assert_eq!(status(json::<LogIn>(&HeaderMap::new(), Ok(body))), 415);
        });
    }

    #[test]
    fn only_json_is_said_to_be_json() {
        let tokens =
            ["application/json", "text/plain", ";", "charset=utf-8", " ", "/", "+json", ",", "\t", "x-"];
        bolero::check!().for_each(|bytes: &[u8]| {
            let text = Choices::new(bytes).text(
                &["application/json", "Application/JSON; charset=utf-8", "multipart/form-data"],
                &tokens,
            );
            let Ok(value) = HeaderValue::from_bytes(text.as_bytes()) else { return };
            let media_type = text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
            assert_eq!(
                is_json(&HeaderMap::from_iter([(CONTENT_TYPE, value)])),
                text.chars().all(|c| c == '\t' || (' '..='~').contains(&c))
                    && media_type == "application/json",
                "{text}"
            );
        });
    }

    #[test]
    fn a_body_is_whole_however_it_comes_and_never_too_large() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        bolero::check!().for_each(|bytes: &[u8]| {
            let mut choices = Choices::new(bytes);
            let chunks: Vec<Vec<u8>> =
                (0..choices.below(12)).map(|_| choices.bytes(8).repeat(1 << choices.below(15))).collect();
            let whole = chunks.concat();
            let stream = futures::stream::iter(
                chunks.into_iter().map(|chunk| Ok::<_, warp::Error>(bytes::Bytes::from(chunk))),
            );
            match runtime.block_on(collect(stream)) {
                Ok(body) => assert!(body == whole && body.len() <= BODY_MAX_BYTES),
                Err(error) => {
                    assert!(whole.len() > BODY_MAX_BYTES);
                    assert_eq!(error.into_response().status(), StatusCode::PAYLOAD_TOO_LARGE);
                }
            }
        });
    }
}
