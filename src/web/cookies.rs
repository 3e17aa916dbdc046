use std::time::Duration;

use cookie::{Cookie, SameSite};
use warp::http::HeaderMap;
use warp::http::header::{COOKIE, HeaderValue};

use crate::domain::SessionSecret;

const NAME: &str = "tidings_session";

/// Browsers accept cookies with this prefix only over TLS, and only for the whole host
/// and no other (RFC 6265bis §4.1.3.2).
const HOST_PREFIX: &str = "__Host-";

/// The ports that browsers leave out of an address: those of HTTP and HTTPS.
const DEFAULT_PORTS: [u16; 2] = [80, 443];

/// The session cookie as it is named at one address. Browsers send the cookies of a
/// host to all of its ports, so the port is part of the name: two servers on one host
/// do not end each other's sessions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionCookie {
    /// The port in the address of the page.
    pub port: u16,
    /// Whether the page was loaded over TLS.
    pub secure: bool,
}

impl SessionCookie {
    /// Whether the request has the cookie, valid or not.
    pub fn is_present(self, headers: &HeaderMap) -> bool {
        let is_sent = |name: &String| values(headers, name).next().is_some();
        self.has_current_name(headers) || self.older_names().iter().any(is_sent)
    }

    /// Whether the request has the cookie with its current name.
    pub fn has_current_name(self, headers: &HeaderMap) -> bool {
        values(headers, &self.name()).next().is_some()
    }

    /// The secret in the cookie. If several cookies have the name, it is the first that
    /// could be a secret: browsers send the most specific first (RFC 6265 §5.4).
    pub fn session(self, headers: &HeaderMap) -> Option<SessionSecret> {
        let read = |name: &String| values(headers, name).find_map(|value| SessionSecret::parse(&value));
        read(&self.name()).or_else(|| self.older_names().iter().find_map(read))
    }

    /// Gives the session to the browser for `ttl`.
    pub fn set(self, secret: &SessionSecret, ttl: Duration) -> HeaderValue {
        self.header(self.name(), secret.text(), ttl)
    }

    /// Removes cookies with older names that hold this secret, and leaves those of
    /// another server on this host alone.
    pub fn remove_older(self, headers: &HeaderMap, secret: &SessionSecret) -> Vec<HeaderValue> {
        let holds = |name: &String| {
            let mut secrets = values(headers, name).filter_map(|value| SessionSecret::parse(&value));
            secrets.any(|held| held.hash() == secret.hash())
        };
        self.older_names().into_iter().filter(holds).map(|name| self.empty(name)).collect()
    }

    /// Removes the cookie with all of its names.
    pub fn remove(self, headers: &HeaderMap) -> Vec<HeaderValue> {
        let sent = self.older_names().into_iter().filter(|name| values(headers, name).next().is_some());
        std::iter::once(self.name()).chain(sent).map(|name| self.empty(name)).collect()
    }

    fn name(self) -> String {
        let prefix = if self.secure { HOST_PREFIX } else { "" };
        format!("{prefix}{NAME}_{}", self.port)
    }

    /// Names that a browser may still have it under: from an older version, or from
    /// when the server knew less about the proxies in front of it.
    fn older_names(self) -> Vec<String> {
        let is_default = DEFAULT_PORTS.contains(&self.port);
        let others = DEFAULT_PORTS.into_iter().filter(|port| is_default && *port != self.port);
        let ports = std::iter::once(self.port).chain(others);
        let mut names: Vec<_> =
            ports.flat_map(|port| [HOST_PREFIX, ""].map(|prefix| format!("{prefix}{NAME}_{port}"))).collect();
        names.push(NAME.to_owned());
        names.retain(|name| *name != self.name());
        names
    }

    fn empty(self, name: String) -> HeaderValue {
        self.header(name, String::new(), Duration::ZERO)
    }

    fn header(self, name: String, value: String, ttl: Duration) -> HeaderValue {
        let seconds = i64::try_from(ttl.as_secs()).unwrap_or(i64::MAX);
        let secure = self.secure || name.starts_with(HOST_PREFIX);
        let cookie = Cookie::build((name, value))
            .http_only(true)
            .same_site(SameSite::Strict)
            .path("/")
            .max_age(time::Duration::seconds(seconds))
            .secure(secure)
            .build();
        HeaderValue::try_from(cookie.to_string()).expect("base64url and attributes are visible ASCII")
    }
}

fn values<'a>(headers: &'a HeaderMap, name: &'a str) -> impl Iterator<Item = String> + 'a {
    headers
        .get_all(COOKIE)
        .iter()
        // Another cookie with bytes or a form that cannot be read says nothing about ours.
        .map(|value| String::from_utf8_lossy(value.as_bytes()))
        .flat_map(Cookie::split_parse)
        .filter_map(Result::ok)
        .filter(move |cookie| cookie.name() == name)
        .map(|cookie| cookie.value().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fuzz::Choices;

    const PLAIN: SessionCookie = SessionCookie { port: 8080, secure: false };
    const SECURE: SessionCookie = SessionCookie { port: 443, secure: true };

    fn sent(cookies: &str) -> HeaderMap {
        HeaderMap::from_iter([(COOKIE, cookies.parse().unwrap())])
    }

    /// The names that answers set, and whether each is set to nothing.
    fn names(answers: &[HeaderValue]) -> Vec<(String, bool)> {
        let name = |answer: &HeaderValue| {
            let (pair, attributes) = answer.to_str().unwrap().split_once("; ").unwrap();
            (pair.split_once('=').unwrap().0.to_owned(), attributes.contains("Max-Age=0"))
        };
        answers.iter().map(name).collect()
    }

    #[test]
    fn what_is_given_comes_back() {
        let secret = SessionSecret::generate();
        for (cookie, name) in [(PLAIN, "tidings_session_8080"), (SECURE, "__Host-tidings_session_443")] {
            let given = cookie.set(&secret, Duration::from_secs(60));
            let given = given.to_str().unwrap();
            for attribute in ["HttpOnly", "SameSite=Strict", "Path=/", "Max-Age=60"] {
                assert!(given.contains(attribute), "{attribute}");
            }
            assert_eq!(given.contains("Secure"), cookie.secure);
            let pair = given.split(';').next().unwrap();
            assert!(pair.starts_with(&format!("{name}=")), "{pair}");
            let found = cookie.session(&sent(&format!("theme=dark; {pair}; x"))).unwrap();
            assert_eq!(found.hash(), secret.hash());
        }
    }

    #[test]
    fn the_cookie_of_another_port_is_another() {
        let [ours, other, old] = [(); 3].map(|()| SessionSecret::generate());
        let neighbour = SessionCookie { port: 8081, secure: false };
        let headers = sent(&format!(
            "tidings_session_8081={}; tidings_session={}; tidings_session_8080={}",
            other.text(),
            old.text(),
            ours.text()
        ));
        assert_eq!(PLAIN.session(&headers).unwrap().hash(), ours.hash());
        assert_eq!(neighbour.session(&headers).unwrap().hash(), other.hash());
        let headers = sent(&format!("tidings_session_8081={}", other.text()));
        assert!(PLAIN.session(&headers).is_none() && !PLAIN.is_present(&headers));
    }

    #[test]
    fn an_older_name_is_read_and_taken_back() {
        let secret = SessionSecret::generate();
        let unsure = SessionCookie { port: 80, secure: false };
        for (cookie, name) in [
            (PLAIN, "tidings_session"),
            (SECURE, "tidings_session"),
            (SECURE, "tidings_session_443"),
            (SECURE, "tidings_session_80"),
            (unsure, "__Host-tidings_session_443"),
        ] {
            let headers = sent(&format!("{name}={}", secret.text()));
            assert_eq!(cookie.session(&headers).map(|found| found.hash()), Some(secret.hash()), "{name}");
            assert!(cookie.is_present(&headers));
            let taken = cookie.remove_older(&headers, &secret);
            assert_eq!(names(&taken), [(name.to_owned(), true)]);
            assert!(!name.starts_with("__Host-") || taken[0].to_str().unwrap().contains("Secure"));
            assert!(cookie.remove_older(&headers, &SessionSecret::generate()).is_empty(), "a neighbour's");
            assert_eq!(names(&cookie.remove(&headers)), [(cookie.name(), true), (name.to_owned(), true)]);
        }
        assert_eq!(names(&PLAIN.remove(&HeaderMap::new())), [("tidings_session_8080".to_owned(), true)]);
    }

    /// Bytes of a header, as they may come.
    fn line(text: &str) -> Option<HeaderMap> {
        HeaderValue::from_bytes(text.as_bytes()).ok().map(|value| HeaderMap::from_iter([(COOKIE, value)]))
    }

    const SEEDS: [&str; 5] =
        ["theme=dark", "a=1; b=\"2\"; c", "tidings_session=rubbish", "naïve=crème; =; ==", "$Version=1;;,"];
    const TOKENS: [&str; 13] = [
        ";",
        "=",
        ",",
        " ",
        "\"",
        "%",
        "_8080",
        "tidings_session",
        "tidings_session_8080=",
        "é",
        "\u{ff}",
        "\t",
        "Path=/",
    ];

    #[test]
    fn b25_no_other_cookie_hides_ours() {
        let (secret, name) = (SessionSecret::generate(), PLAIN.name());
        bolero::check!().for_each(|bytes: &[u8]| {
            let mut choices = Choices::new(bytes);
            let (before, after) = (choices.text(&SEEDS, &TOKENS), choices.text(&SEEDS, &TOKENS));
            let Some(without) = line(&format!("{before}; {after}")) else { return };
            assert!(
                !PLAIN.is_present(&without) || before.contains(NAME) || after.contains(NAME),
                "{without:?}"
            );
            let headers = line(&format!("{before}; {name}={}; {after}", secret.text())).unwrap();
            assert!(PLAIN.is_present(&headers), "{headers:?}");
            // The first that could be one counts.
            if PLAIN.session(&line(&before).unwrap()).is_none() {
                assert_eq!(
                    PLAIN.session(&headers).map(|found| found.hash()),
                    Some(secret.hash()),
                    "{headers:?}"
                );
            }
        });
    }

    #[test]
    fn b25_large_and_doubled_cookies_are_dealt_with() {
        let (secret, name) = (SessionSecret::generate(), PLAIN.name());
        let large = format!("{name}={}", "a".repeat(8_192));
        assert!(PLAIN.session(&sent(&large)).is_none());
        assert!(PLAIN.is_present(&sent(&large)));
        let doubled = format!("{name}=rubbish; {name}={}", secret.text());
        assert_eq!(PLAIN.session(&sent(&doubled)).unwrap().hash(), secret.hash());
        assert!(!PLAIN.is_present(&sent("tidings_session_80801=x")));
    }
}
