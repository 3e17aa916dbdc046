//! Self-contained pages for people who open an address where nothing is.

use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};
use warp::http::header::{ACCEPT, ACCEPT_LANGUAGE, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue, VARY};
use warp::http::{HeaderMap, Response as HttpResponse, StatusCode};
use warp::reply::Response;

/// The colours of the client.
const STYLE: &str = "\
:root{color-scheme:light dark}\
body{margin:0;min-height:100vh;display:grid;place-content:center;justify-items:center;padding:24px;\
box-sizing:border-box;text-align:center;font:16px/1.5 system-ui,sans-serif;background:#fff;color:#14181d}\
h1{margin:16px 0 0;font-size:22px}\
p{margin:8px 0 0;max-width:34em}\
a,svg{color:#0f766e}\
@media(prefers-color-scheme:dark){body{background:#161b21;color:#e6eaee}a{color:#5eead4}}";

const LOGO: &str = "<svg width=\"56\" height=\"56\" viewBox=\"0 0 32 32\" aria-hidden=\"true\">\
<path fill=\"currentColor\" d=\"M6 3h20a4 4 0 0 1 4 4v13a4 4 0 0 1-4 4H14l-7 6v-6H6a4 4 0 0 1-4-4V7a4 4 0 0 1 4-4Z\"/>\
<path fill=\"none\" stroke=\"#fff\" stroke-width=\"3\" stroke-linecap=\"round\" stroke-linejoin=\"round\" \
d=\"m8 14 4 4 7-8m-1 7 1 1 6-8\"/></svg>";

/// Allows nothing but that style.
static POLICY: LazyLock<HeaderValue> = LazyLock::new(|| {
    let hash = STANDARD.encode(Sha256::digest(STYLE));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'; \
         frame-ancestors 'none'"
    );
    HeaderValue::try_from(policy).expect("base64 is visible ASCII")
});

/// The text of a page. It is markup, so nothing of the request may get into it.
struct PageText {
    language: &'static str,
    title: &'static str,
    text: &'static str,
}

const NOT_FOUND: PageText = PageText {
    language: "en",
    title: "Page not found",
    text: "There’s nothing at this address.<p><a href=\"/\">Go to Tidings</a>",
};

const NOT_FOUND_IN_GERMAN: PageText = PageText {
    language: "de",
    title: "Seite nicht gefunden",
    text: "Unter dieser Adresse gibt es nichts.<p><a href=\"/\">Zu Tidings</a>",
};

/// For the operator of the server, in the language of its settings.
const UNKNOWN_HOST: PageText = PageText {
    language: "en",
    title: "This server doesn’t go by that name",
    text: "Open it by its IP address, as <code>localhost</code>, or by the name of its machine.\
        <p>If you run this server and want it to answer here, set <code>TIDINGS_ORIGINS</code> to the address \
        in your browser, such as <code>TIDINGS_ORIGINS=https://chat.example.org</code>, and start it again.",
};

/// Whether the client wants a page to show: browsers ask for `text/html` when they navigate.
pub fn accepts_html(headers: &HeaderMap) -> bool {
    let lines = headers.get_all(ACCEPT).iter().filter_map(|line| line.to_str().ok());
    let mut types = lines.flat_map(|line| line.split(',')).filter_map(|range| range.split(';').next());
    types.any(|media_type| media_type.trim().eq_ignore_ascii_case("text/html"))
}

/// The response where nothing is at the address.
pub fn not_found(headers: &HeaderMap) -> Response {
    let page = if prefers_german(headers) { &NOT_FOUND_IN_GERMAN } else { &NOT_FOUND };
    respond(StatusCode::NOT_FOUND, page)
}

/// The response to a request for a host that the server does not answer for.
pub fn unknown_host() -> Response {
    respond(StatusCode::MISDIRECTED_REQUEST, &UNKNOWN_HOST)
}

/// Whether the user prefers German to English. Browsers list languages in the order
/// of preference.
fn prefers_german(headers: &HeaderMap) -> bool {
    let list = headers.get(ACCEPT_LANGUAGE).and_then(|list| list.to_str().ok()).unwrap_or_default();
    let languages = list.split(',').filter_map(|range| range.trim().get(..2));
    languages.map(str::to_ascii_lowercase).find(|language| ["en", "de"].contains(&language.as_str()))
        == Some("de".to_owned())
}

fn respond(status: StatusCode, page: &PageText) -> Response {
    let PageText { language, title, text } = page;
    let html = format!(
        "<!doctype html><html lang=\"{language}\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <title>{title} · Tidings</title><style>{STYLE}</style></head>\
         <body>{LOGO}<h1>{title}</h1><p>{text}</body></html>"
    );
    let mut response = HttpResponse::new(html.into());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(CONTENT_SECURITY_POLICY, POLICY.clone());
    headers.insert(VARY, HeaderValue::from_static("accept, accept-language"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(name: &'static str, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name.parse().unwrap(), value.parse().unwrap())])
    }

    #[test]
    fn a_page_is_for_whoever_accepts_one() {
        assert!(accepts_html(&with("accept", "text/html,application/xhtml+xml,*/*;q=0.8")));
        assert!(accepts_html(&with("accept", "application/xml;q=0.9, Text/HTML;q=0.8")));
        for other in ["*/*", "application/json", "text/*", "image/text/html", ""] {
            assert!(!accepts_html(&with("accept", other)), "{other}");
        }
        assert!(!accepts_html(&HeaderMap::new()));
    }

    #[test]
    fn the_first_language_that_there_is_is_taken() {
        for (list, is_german) in [
            ("de", true),
            ("de-AT,en;q=0.8", true),
            ("fr,de;q=0.8,en;q=0.5", true),
            ("en-GB,de;q=0.8", false),
            ("fr", false),
            ("", false),
            ("ü", false),
        ] {
            assert_eq!(prefers_german(&with("accept-language", list)), is_german, "{list}");
        }
        assert!(!prefers_german(&HeaderMap::new()));
    }
}
