use std::time::Duration;

use cookie::{Cookie, SameSite};
use warp::http::HeaderMap;
use warp::http::header::{COOKIE, HeaderValue};

use crate::domain::SessionSecret;

const NAME: &str = "tidings_session";

/// Whether the request carries a session cookie, valid or not.
pub fn is_present(headers: &HeaderMap) -> bool {
    values(headers).next().is_some()
}

/// The session in the cookies. Where several have the name, the first that
/// could be one: browsers send the nearest first (RFC 6265 §5.4).
pub fn session(headers: &HeaderMap) -> Option<SessionSecret> {
    values(headers).find_map(|value| SessionSecret::parse(&value))
}

/// Hands the session to the browser for `ttl`.
pub fn give(secret: &SessionSecret, ttl: Duration, secure: bool) -> HeaderValue {
    header(secret.text(), ttl, secure)
}

/// Takes it back.
pub fn take_back(secure: bool) -> HeaderValue {
    header(String::new(), Duration::ZERO, secure)
}

fn header(value: String, ttl: Duration, secure: bool) -> HeaderValue {
    let seconds = i64::try_from(ttl.as_secs()).unwrap_or(i64::MAX);
    let cookie = Cookie::build((NAME, value))
        .http_only(true)
        .same_site(SameSite::Strict)
        .path("/")
        .max_age(time::Duration::seconds(seconds))
        .secure(secure)
        .build();
    HeaderValue::try_from(cookie.to_string()).expect("base64url and attributes are visible ASCII")
}

fn values(headers: &HeaderMap) -> impl Iterator<Item = String> {
    headers
        .get_all(COOKIE)
        .iter()
        // Another cookie that cannot be read, for its bytes or its form, says nothing about ours.
        .map(|value| String::from_utf8_lossy(value.as_bytes()))
        .flat_map(Cookie::split_parse)
        .filter_map(Result::ok)
        .filter(|cookie| cookie.name() == NAME)
        .map(|cookie| cookie.value().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fuzz::Choices;

    fn sent(cookies: &str) -> HeaderMap {
        HeaderMap::from_iter([(COOKIE, cookies.parse().unwrap())])
    }

    #[test]
    fn what_is_given_comes_back() {
        let secret = SessionSecret::generate();
        let given = give(&secret, Duration::from_secs(60), true);
        let given = given.to_str().unwrap();
        for attribute in ["HttpOnly", "SameSite=Strict", "Path=/", "Max-Age=60", "Secure"] {
            assert!(given.contains(attribute), "{attribute}");
        }
        let pair = given.split(';').next().unwrap();
        let found = session(&sent(&format!("theme=dark; {pair}; x"))).unwrap();
        assert_eq!(found.id(), secret.id());
        assert!(take_back(false).to_str().unwrap().contains("Max-Age=0"));
    }

    /// Bytes of a header, as they may come.
    fn line(text: &str) -> Option<HeaderMap> {
        HeaderValue::from_bytes(text.as_bytes()).ok().map(|value| HeaderMap::from_iter([(COOKIE, value)]))
    }

    const SEEDS: [&str; 5] =
        ["theme=dark", "a=1; b=\"2\"; c", "tidings_session=rubbish", "naïve=crème; =; ==", "$Version=1;;,"];
    const TOKENS: [&str; 12] =
        [";", "=", ",", " ", "\"", "%", "tidings_session", "tidings_session=", "é", "\u{ff}", "\t", "Path=/"];

    #[test]
    fn b25_no_other_cookie_hides_ours() {
        let secret = SessionSecret::generate();
        bolero::check!().for_each(|bytes: &[u8]| {
            let mut choices = Choices::new(bytes);
            let (before, after) = (choices.text(&SEEDS, &TOKENS), choices.text(&SEEDS, &TOKENS));
            let Some(without) = line(&format!("{before}; {after}")) else { return };
            assert!(!is_present(&without) || before.contains(NAME) || after.contains(NAME), "{without:?}");
            let headers = line(&format!("{before}; {NAME}={}; {after}", secret.text())).unwrap();
            assert!(is_present(&headers), "{headers:?}");
            // The first that could be one counts.
            if session(&line(&before).unwrap()).is_none() {
                assert_eq!(session(&headers).map(|found| found.id()), Some(secret.id()), "{headers:?}");
            }
        });
    }

    #[test]
    fn b25_large_and_doubled_cookies_are_dealt_with() {
        let secret = SessionSecret::generate();
        let large = format!("{NAME}={}", "a".repeat(8_192));
        assert!(session(&sent(&large)).is_none());
        assert!(is_present(&sent(&large)));
        let doubled = format!("{NAME}=rubbish; {NAME}={}", secret.text());
        assert_eq!(session(&sent(&doubled)).unwrap().id(), secret.id());
        assert!(!is_present(&sent("tidings_session2=x")));
    }
}
