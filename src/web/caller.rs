use std::net::IpAddr;
use std::time::Duration;

use warp::http::HeaderMap;
use warp::http::header::AUTHORIZATION;

use super::refusal::Refusal;
use super::{Context, cookies, origin};
use crate::database::Held;
use crate::domain::{SessionId, SessionSecret};

/// The end of a session is put off when so much of it is gone, or half of it:
/// not with every request.
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Who asks: the headers of a request and where it comes from.
#[derive(Clone, Debug)]
pub struct Caller {
    pub headers: HeaderMap,
    pub address: IpAddr,
}

/// A caller with a live session.
pub struct Member {
    pub held: Held,
    pub session: SessionId,
}

impl Caller {
    /// The secret that the caller presents: a bearer token before a cookie.
    pub fn secret(&self) -> Option<SessionSecret> {
        match self.headers.get(AUTHORIZATION) {
            Some(value) => value.to_str().ok().and_then(bearer).and_then(SessionSecret::parse),
            None => cookies::session(&self.headers),
        }
    }

    /// Whether the session is held by a cookie.
    pub fn has_cookie(&self) -> bool {
        !self.headers.contains_key(AUTHORIZATION) && cookies::is_present(&self.headers)
    }
}

impl Context {
    /// Refuses what another site's page has sent. Everything that changes
    /// something asks this first.
    pub fn check_origin(&self, caller: &Caller) -> Result<(), Refusal> {
        origin::check(&caller.headers, &self.config().origins, caller.has_cookie())
    }

    /// The caller's session, which is kept alive by this.
    pub async fn member(&self, caller: &Caller) -> Result<Member, Refusal> {
        self.find_member(caller).await?.ok_or_else(Refusal::unauthorized)
    }

    /// As [`member`](Self::member), where having none is fine.
    pub async fn find_member(&self, caller: &Caller) -> Result<Option<Member>, Refusal> {
        let Some(session) = caller.secret().map(|secret| secret.id()) else { return Ok(None) };
        let ttl = self.config().session_ttl;
        let Some(held) = self.database().session(session).await? else { return Ok(None) };
        if held.remains + DAY.min(ttl / 2) < ttl
            && let Err(error) = self.database().extend_session(session, ttl).await
        {
            // It holds until its end, which the next request tries to put off.
            tracing::warn!(%error, "a session is not extended");
        }
        Ok(Some(Member { held, session }))
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
        Caller { headers, address: Ipv4Addr::LOCALHOST.into() }
    }

    #[test]
    fn b25_what_is_no_token_opens_nothing() {
        let (token, cookie) = (SessionSecret::generate(), SessionSecret::generate());
        let good = format!("Bearer {}", token.text());
        let in_cookie = (COOKIE, format!("tidings_session={}", cookie.text()));
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
        let in_cookie = (COOKIE, format!("tidings_session={}", cookie.text()));
        let both = caller(&[(AUTHORIZATION, format!("bearer {}", token.text())), in_cookie.clone()]);
        assert_eq!(both.secret().unwrap().id(), token.id());
        assert!(!both.has_cookie());
        let basic = caller(&[(AUTHORIZATION, "Basic YTpi".into()), in_cookie.clone()]);
        assert!(basic.secret().is_none(), "a header that is not understood is not passed over");
        assert!(caller(&[in_cookie]).has_cookie());
    }
}
