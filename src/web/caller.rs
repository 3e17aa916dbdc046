use std::net::IpAddr;

use warp::http::HeaderMap;
use warp::http::header::{AUTHORIZATION, ORIGIN, USER_AGENT};

use super::api_error::ApiError;
use super::cookies::SessionCookie;
use super::{Context, origin};
use crate::accounts::Authenticated;
use crate::domain::{Agent, SessionSecret};

/// The sender of a request: its headers and address, and the name that the session
/// cookie has there.
#[derive(Clone, Debug)]
pub struct Caller {
    pub headers: HeaderMap,
    pub address: IpAddr,
    pub cookie: SessionCookie,
}

impl Caller {
    /// The secret that the caller presents. A bearer token takes precedence over a cookie.
    pub fn secret(&self) -> Option<SessionSecret> {
        match self.headers.get(AUTHORIZATION) {
            Some(value) => value.to_str().ok().and_then(bearer).and_then(SessionSecret::parse),
            None => self.cookie.session(&self.headers),
        }
    }

    /// Whether the caller presents a bearer token, valid or not.
    pub fn has_bearer(&self) -> bool {
        self.headers.contains_key(AUTHORIZATION)
    }

    /// Whether the caller presents a cookie and no bearer token.
    pub fn has_cookie(&self) -> bool {
        !self.has_bearer() && self.cookie.is_present(&self.headers)
    }

    /// Whether a page may have sent this, our own included. Scripts of pages must not
    /// get a token, which would outlive the page.
    pub fn may_be_page(&self) -> bool {
        let sent =
            [ORIGIN.as_str(), "sec-fetch-site"].into_iter().any(|name| self.headers.contains_key(name));
        sent || self.cookie.is_present(&self.headers)
    }

    /// The browser and system, as the caller describes them.
    pub fn agent(&self) -> Agent {
        let user_agent = self.headers.get(USER_AGENT).and_then(|value| value.to_str().ok());
        user_agent.map(Agent::parse).unwrap_or_default()
    }
}

impl Context {
    /// Refuses requests from pages of other sites. Every handler that changes something
    /// calls this first.
    pub fn check_origin(&self, caller: &Caller) -> Result<(), ApiError> {
        origin::check(&caller.headers, &self.config().origins, caller.has_cookie())
    }

    /// The caller's live session, which is kept alive by this.
    pub async fn authenticate(&self, caller: &Caller) -> Result<Authenticated, ApiError> {
        self.find_session(caller).await?.ok_or_else(ApiError::unauthorized)
    }

    /// As [`authenticate`](Self::authenticate), for requests that need no session.
    pub async fn find_session(&self, caller: &Caller) -> Result<Option<Authenticated>, ApiError> {
        let Some(secret) = caller.secret() else { return Ok(None) };
        Ok(self.accounts.authenticate(secret.hash()).await?)
    }
}

/// The token of `Bearer …` (RFC 6750 §2.1).
fn bearer(authorization: &str) -> Option<&str> {
    let (scheme, token) = authorization.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use warp::http::header::{COOKIE, HeaderValue};

    use super::*;
    use crate::fuzz::Choices;

    fn caller(pairs: &[(warp::http::HeaderName, String)]) -> Caller {
        let headers = pairs.iter().map(|(name, value)| (name.clone(), value.parse().unwrap())).collect();
        let cookie = SessionCookie { port: 8080, secure: false };
        Caller { headers, address: Ipv4Addr::LOCALHOST.into(), cookie }
    }

    #[test]
    fn b25_what_is_no_token_opens_nothing() {
        let (token, cookie) = (SessionSecret::generate(), SessionSecret::generate());
        let good = format!("Bearer {}", token.text());
        let in_cookie = (COOKIE, format!("tidings_session_8080={}", cookie.text()));
        bolero::check!().for_each(|bytes: &[u8]| {
            let text = Choices::new(bytes).text(
                &[&good, "Basic YTpi", "bearer  x", "Bearer"],
                &["Bearer ", "bearer", " ", "\t", ",", "=", "\u{a0}"],
            );
            let Ok(value) = HeaderValue::from_bytes(text.as_bytes()) else { return };
            let mut caller = caller(std::slice::from_ref(&in_cookie));
            caller.headers.insert(AUTHORIZATION, value);
            assert!(!caller.has_cookie());
            if let Some(secret) = caller.secret() {
                let words: Vec<_> = text.split_ascii_whitespace().collect();
                let [scheme, given] = words[..] else { panic!("{text:?}") };
                assert!(scheme.eq_ignore_ascii_case("bearer") && given == secret.text(), "{text:?}");
            }
        });
    }

    #[test]
    fn a_bearer_token_comes_before_a_cookie() {
        let (token, cookie) = (SessionSecret::generate(), SessionSecret::generate());
        let in_cookie = (COOKIE, format!("tidings_session_8080={}", cookie.text()));
        let both = caller(&[(AUTHORIZATION, format!("bearer {}", token.text())), in_cookie.clone()]);
        assert_eq!(both.secret().unwrap().hash(), token.hash());
        assert!(!both.has_cookie());
        let basic = caller(&[(AUTHORIZATION, "Basic YTpi".into()), in_cookie.clone()]);
        assert!(basic.secret().is_none(), "a header that is not understood is not passed over");
        assert!(caller(&[in_cookie]).has_cookie());
    }
}
