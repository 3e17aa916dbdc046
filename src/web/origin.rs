use warp::http::HeaderMap;
use warp::http::header::{HOST, ORIGIN};

use super::api_error::ApiError;
use crate::config::Origin;
use crate::protocol::Code;

/// Errors unless a request that changes something, or opens a socket, comes from a
/// page of this server, or from a program, which has neither `Origin` nor cookie.
///
/// `origins` are the pages that are allowed. If there are none, the page's address
/// must be the one that the request was sent to. That is enough, because a cookie
/// goes only to the host that set it.
pub fn check(headers: &HeaderMap, origins: &[Origin], has_cookie: bool) -> Result<(), ApiError> {
    let mut given = headers.get_all(ORIGIN).iter();
    let allowed = match (given.next(), given.next()) {
        (Some(origin), None) => {
            let origin = origin.to_str().unwrap_or_default();
            if origins.is_empty() {
                matches_host(origin, headers)
            } else {
                origins.iter().any(|allowed| allowed.as_str().eq_ignore_ascii_case(origin))
            }
        }
        (Some(_), Some(_)) => false,
        (None, _) => !has_cookie && !is_cross_site(headers),
    };
    if allowed {
        Ok(())
    } else {
        Err(ApiError::new(Code::ForbiddenOrigin, "Requests from this page are not allowed."))
    }
}

/// Whether the page that sent the request was loaded over TLS. Pages of other sites
/// are refused before this matters.
pub fn is_https(headers: &HeaderMap) -> bool {
    headers.get(ORIGIN).is_some_and(|origin| origin.as_bytes().starts_with(b"https://"))
}

fn matches_host(origin: &str, headers: &HeaderMap) -> bool {
    let Some(host) = headers.get(HOST).and_then(|host| host.to_str().ok()) else { return false };
    // A browser leaves the default port of the scheme out of both.
    let authority = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"));
    authority.is_some_and(|authority| !authority.is_empty() && authority.eq_ignore_ascii_case(host))
}

/// Fetch Metadata (W3C), which browsers send even without an `Origin`.
fn is_cross_site(headers: &HeaderMap) -> bool {
    headers.get("sec-fetch-site").is_some_and(|site| site != "same-origin" && site != "none")
}

#[cfg(test)]
mod tests {
    use warp::http::HeaderValue;

    use super::*;
    use crate::fuzz::Choices;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, value.parse().unwrap());
        }
        headers
    }

    const HOST_IS: (&str, &str) = ("host", "chat.example:8080");

    #[test]
    fn b24_the_page_must_be_of_the_address_asked() {
        let may = |origin: &str| check(&headers(&[HOST_IS, ("origin", origin)]), &[], true).is_ok();
        assert!(may("http://chat.example:8080"));
        assert!(may("https://CHAT.example:8080"));
        for foreign in [
            "null",
            "",
            "http://",
            "http://chat.example",
            "http://chat.example:8081",
            "http://chat.example:8080.evil.example",
            "http://evil.example/chat.example:8080",
            "file://chat.example:8080",
        ] {
            assert!(!may(foreign), "{foreign}");
        }
    }

    #[test]
    fn b24_no_other_page_passes_for_ours() {
        let seeds = [
            "http://chat.example:8080",
            "https://chat.example:8080",
            "https://chat.example",
            "null",
            "file://",
        ];
        let tokens = [
            "http://",
            "https://",
            "chat.example",
            ":8080",
            ":80",
            ".",
            "/",
            "@",
            "evil.example",
            "null",
            "#",
            "?",
            "\\",
            "[::1]",
            " ",
            ",",
        ];
        let listed = [Origin::parse("https://chat.example").unwrap()];
        bolero::check!().for_each(|bytes: &[u8]| {
            let text = Choices::new(bytes).text(&seeds, &tokens);
            let Ok(value) = HeaderValue::from_bytes(text.as_bytes()) else { return };
            let mut headers = headers(&[HOST_IS]);
            headers.insert(ORIGIN, value);
            let is = |origins: &[&str]| origins.iter().any(|origin| origin.eq_ignore_ascii_case(&text));
            let ours = is(&["http://chat.example:8080", "https://chat.example:8080"]);
            assert!(ours || check(&headers, &[], false).is_err(), "{text}");
            assert_eq!(check(&headers, &listed, true).is_ok(), is(&["https://chat.example"]), "{text}");
            // Nor does a second one beside ours.
            headers.append(ORIGIN, HeaderValue::from_static("https://chat.example:8080"));
            assert!(check(&headers, &[], false).is_err() && check(&headers, &listed, true).is_err());
        });
    }

    #[test]
    fn b24_the_list_of_origins_is_the_law_when_there_is_one() {
        let origins = [Origin::parse("https://chat.example").unwrap()];
        let may = |origin: &str| check(&headers(&[HOST_IS, ("origin", origin)]), &origins, true).is_ok();
        assert!(may("https://chat.example"));
        assert!(!may("http://chat.example"), "another scheme is another origin");
        assert!(!may("http://chat.example:8080"));
    }

    #[test]
    fn b24_a_cookie_without_an_origin_is_refused() {
        assert!(check(&headers(&[HOST_IS]), &[], true).is_err());
        assert!(check(&headers(&[HOST_IS]), &[], false).is_ok(), "a program");
        let twice = [HOST_IS, ("origin", "http://chat.example:8080"), ("origin", "http://evil.example")];
        assert!(check(&headers(&twice), &[], true).is_err());
    }

    #[test]
    fn b26_a_cross_site_form_is_refused_even_without_an_origin() {
        let from = |site| check(&headers(&[HOST_IS, ("sec-fetch-site", site)]), &[], false).is_ok();
        assert!(!from("cross-site") && !from("same-site"));
        assert!(from("same-origin") && from("none"));
    }
}
