use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use warp::http::header::{
    CONNECTION, HeaderName, HeaderValue, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION,
    UPGRADE,
};
use warp::http::{HeaderMap, StatusCode};

use super::api_error::ApiError;
use crate::protocol::{Code, SUBPROTOCOL};

/// The only version of the protocol (RFC 6455 §4.1).
const VERSION: &str = "13";

/// The decoded length of `Sec-WebSocket-Key` (RFC 6455 §4.1).
const KEY_BYTES: usize = 16;

/// Checks the opening handshake (RFC 6455 §4.2.1) and returns its key.
pub fn check(headers: &HeaderMap) -> Result<&HeaderValue, ApiError> {
    if !lists(headers, &UPGRADE, "websocket") || !lists(headers, &CONNECTION, "upgrade") {
        return Err(bad_upgrade("This address accepts only WebSocket connections."));
    }
    if headers.get(SEC_WEBSOCKET_VERSION).is_none_or(|version| version != VERSION) {
        return Err(bad_upgrade("The WebSocket version must be 13.")
            .with_status(StatusCode::UPGRADE_REQUIRED)
            .with_header(SEC_WEBSOCKET_VERSION, HeaderValue::from_static(VERSION)));
    }
    if !lists(headers, &SEC_WEBSOCKET_PROTOCOL, SUBPROTOCOL) {
        return Err(bad_upgrade("The subprotocol must be `tidings.v2`."));
    }
    let key = headers.get(SEC_WEBSOCKET_KEY).filter(|key| is_key(key));
    key.ok_or_else(|| bad_upgrade("`Sec-WebSocket-Key` must be 16 bytes in base64."))
}

pub fn bad_upgrade(message: &str) -> ApiError {
    ApiError::new(Code::BadUpgrade, message)
}

fn is_key(key: &HeaderValue) -> bool {
    let mut bytes = [0; KEY_BYTES + 2];
    STANDARD.decode_slice(key, &mut bytes) == Ok(KEY_BYTES)
}

/// Whether a header, which is a list of tokens in one line or several, has this token.
fn lists(headers: &HeaderMap, name: &HeaderName, token: &str) -> bool {
    let lines = headers.get_all(name).iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).any(|listed| listed.trim().eq_ignore_ascii_case(token))
}

#[cfg(test)]
mod tests {
    use warp::reply::Reply;

    use super::*;
    use crate::fuzz::Choices;

    const GOOD: [(&str, &str); 5] = [
        ("upgrade", "websocket"),
        ("connection", "keep-alive, Upgrade"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ("sec-websocket-protocol", "other, tidings.v2"),
    ];

    /// The good handshake with one header changed, or left out when empty.
    fn with(name: &str, value: &str) -> u16 {
        let changed = GOOD.map(|(n, v)| if n == name { (n, value) } else { (n, v) });
        let headers: HeaderMap = changed
            .iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
            .collect();
        check(&headers).err().map_or(101, |error| error.into_response().status().as_u16())
    }

    #[test]
    fn b27_only_a_whole_handshake_passes() {
        let seeds = GOOD.map(|(_, value)| value);
        let tokens = [
            ",",
            " ",
            ";",
            "=",
            "websocket",
            "upgrade",
            "13",
            "tidings.v2",
            "h2c",
            "A",
            "/",
            "+",
            "_",
            "\t",
            "\u{a0}",
        ];
        bolero::check!().for_each(|bytes: &[u8]| {
            let mut choices = Choices::new(bytes);
            let mut headers = HeaderMap::new();
            for (place, (name, value)) in GOOD.into_iter().enumerate() {
                // Most are left as they should be: each has its turn.
                for _ in 0..=usize::from(choices.byte() == 1) {
                    let is_mangled = usize::from(choices.byte()) % 5 == place;
                    let text = if is_mangled { choices.text(&seeds, &tokens) } else { value.to_owned() };
                    let Ok(value) = HeaderValue::from_bytes(text.as_bytes()) else { continue };
                    headers.append(name, value);
                }
            }
            let has = |name: &str, token: &str| {
                let lines = headers
                    .get_all(name)
                    .iter()
                    .map(|line| String::from_utf8_lossy(line.as_bytes()).to_ascii_lowercase());
                lines
                    .flat_map(|line| line.split(',').map(|word| word.trim().to_owned()).collect::<Vec<_>>())
                    .any(|word| word == token)
            };
            match check(&headers) {
                Ok(key) => {
                    assert_eq!(STANDARD.decode(key).map(|bytes| bytes.len()), Ok(16), "{headers:?}");
                    let is_whole = has("upgrade", "websocket") && has("connection", "upgrade");
                    assert!(
                        is_whole
                            && has("sec-websocket-version", "13")
                            && has("sec-websocket-protocol", "tidings.v2")
                    );
                }
                Err(error) => {
                    let status = error.into_response().status().as_u16();
                    assert!([400, 426].contains(&status), "{headers:?}");
                }
            }
        });
    }

    #[test]
    fn b27_a_handshake_is_whole_or_refused() {
        assert_eq!(with("", ""), 101);
        for (name, value, status) in [
            ("upgrade", "", 400),
            ("upgrade", "h2c", 400),
            ("connection", "keep-alive", 400),
            ("sec-websocket-version", "8", 426),
            ("sec-websocket-version", "", 426),
            ("sec-websocket-key", "", 400),
            ("sec-websocket-key", "short", 400),
            ("sec-websocket-key", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", 400),
            ("sec-websocket-protocol", "", 400),
            ("sec-websocket-protocol", "tidings.v1", 400),
        ] {
            assert_eq!(with(name, value), status, "{name}: {value}");
        }
    }
}
