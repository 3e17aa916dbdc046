use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use rust_embed::{EmbeddedFile, RustEmbed};
use warp::http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG,
    HeaderValue, IF_NONE_MATCH, VARY,
};
use warp::http::{HeaderMap, Response as HttpResponse, StatusCode};
use warp::reply::Response;

use super::encoding::Encoding;

/// The built client, inside the binary.
#[derive(RustEmbed)]
#[folder = "$OUT_DIR/client"]
struct Files;

const PAGE: &str = "index.html";
const WORKER: &str = "worker.js";

/// The page loads nothing but its own files, and talks to nothing but its own server.
/// It cannot turn text into scripts or markup (Trusted Types), except for the address
/// of the service worker, by the one policy that `worker.ts` makes.
const PAGE_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
    font-src 'self'; connect-src 'self'; manifest-src 'self'; worker-src 'self'; base-uri 'none'; \
    form-action 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types tidings-worker";

/// The service worker fetches files from the server and does nothing else.
const WORKER_POLICY: &str = "default-src 'none'; connect-src 'self'";

/// For files with a hash in their name: other content has another name.
const IMMUTABLE: &str = "public, max-age=31536000, immutable";

/// Caches may keep the file but ask about it every time.
const REVALIDATE: &str = "no-cache";

/// `GET` of anything outside `/api`: a file of the client by its exact name, or `None`.
/// Nothing is decoded, so no file has a path with `%`, `..` or `\`.
pub fn file(path: &str, headers: &HeaderMap) -> Option<Response> {
    let name = match path.trim_start_matches('/') {
        "" => PAGE,
        name => name,
    };
    // `rust-embed` takes a backslash for a slash.
    let exact = Some(name).filter(|name| !name.contains('\\'));
    let plain = exact.and_then(Files::get)?;
    let etag = etag(&plain);
    if headers.get(IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == etag.as_bytes()) {
        return Some(respond(StatusCode::NOT_MODIFIED, name, etag, None));
    }
    let accept = headers.get(ACCEPT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let compressed = Encoding::ALL
        .into_iter()
        .filter(|encoding| encoding.is_accepted(accept))
        .find_map(|encoding| Some((encoding, Files::get(&format!("{name}{}", encoding.suffix()))?)));
    let (encoding, file) = match compressed {
        Some((encoding, file)) => (Some(encoding), file),
        None => (None, plain),
    };
    Some(respond(StatusCode::OK, name, etag, Some((encoding, file))))
}

fn respond(
    status: StatusCode,
    name: &str,
    etag: HeaderValue,
    file: Option<(Option<Encoding>, EmbeddedFile)>,
) -> Response {
    let (encoding, data) = match file {
        Some((encoding, file)) => (encoding, file.data),
        None => (None, Cow::default()),
    };
    let mut response = HttpResponse::new(Bytes::from_owner(data).into());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(ETAG, etag);
    headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
    let caching = if name.starts_with("assets/") { IMMUTABLE } else { REVALIDATE };
    headers.insert(CACHE_CONTROL, HeaderValue::from_static(caching));
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type(name)));
    if let Some(encoding) = encoding {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static(encoding.name()));
    }
    if let Some(policy) = policy(name) {
        headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    }
    response
}

fn policy(name: &str) -> Option<&'static str> {
    match name {
        PAGE => Some(PAGE_POLICY),
        WORKER => Some(WORKER_POLICY),
        _ => None,
    }
}

/// Weak, since it names the content and not one encoding of it (RFC 9110 §8.8.1).
fn etag(file: &EmbeddedFile) -> HeaderValue {
    let hash = URL_SAFE_NO_PAD.encode(file.metadata.sha256_hash());
    HeaderValue::try_from(format!("W/\"{hash}\"")).expect("base64url is visible ASCII")
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map_or("", |(_, extension)| extension) {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "json" | "map" => "application/json",
        "webmanifest" => "application/manifest+json",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fuzz::Choices;

    #[test]
    fn b32_a_path_is_a_file_of_the_client_by_its_name_or_nothing() {
        let names: Vec<String> = Files::iter().map(|name| format!("/{name}")).collect();
        let seeds: Vec<&str> =
            names.iter().map(String::as_str).chain(["/", "/assets/../index.html"]).collect();
        let tokens = [
            "/",
            "..",
            "../",
            "%2f",
            "%2e%2e",
            "%00",
            "\\",
            "\0",
            ".br",
            ".gz",
            "assets",
            "/etc/passwd",
            "C:",
            "?",
            "//",
            ".",
        ];
        bolero::check!().for_each(|bytes: &[u8]| {
            let mut choices = Choices::new(bytes);
            let path = choices.text(&seeds, &tokens);
            let accept = choices.pick(&["", "br", "gzip", "gzip, br", "identity"]);
            let headers = HeaderMap::from_iter([(ACCEPT_ENCODING, HeaderValue::from_static(accept))]);
            let name = path.trim_start_matches('/');
            let is_known = name.is_empty() || Files::iter().any(|known| known == name);
            let answer = file(&path, &headers);
            assert_eq!(answer.is_some(), is_known, "{path}");
            if let Some(response) = answer {
                let encoding =
                    response.headers().get(CONTENT_ENCODING).map(|encoding| encoding.to_str().unwrap());
                assert!(encoding.is_none_or(|encoding| accept.contains(encoding)), "{path}: {encoding:?}");
                assert!(
                    response.headers().contains_key(ETAG) && response.headers().contains_key(CONTENT_TYPE)
                );
            }
        });
    }
}
