//! The browser client, as it is served.

use reqwest::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, HeaderMap,
    IF_NONE_MATCH, VARY,
};
use reqwest::{Method, Response};
use serde_json::Value;

use crate::browser::{Browser, answer, code};
use crate::support::{Bystanders, TestServer};

async fn get(server: &TestServer, path: &str, headers: &[(&'static str, &str)]) -> Response {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.insert(*name, value.parse().unwrap());
    }
    Browser::program(&server.url).request(Method::GET, path).headers(map).send().await.unwrap()
}

/// The path of the page's script.
async fn script(server: &TestServer) -> String {
    let page = get(server, "/", &[]).await.text().await.unwrap();
    let (_, after) = page.split_once("src=\"").unwrap();
    after.split_once('"').unwrap().0.to_owned()
}

#[tokio::test]
async fn b19_the_page_runs_its_own_script_only() {
    let server = TestServer::start(&[]).await;
    let bystanders = Bystanders::of(&server).await;
    let response = get(&server, "/", &[]).await;
    assert_eq!(response.headers()[CONTENT_TYPE], "text/html; charset=utf-8");
    assert_eq!(response.headers()["cross-origin-opener-policy"], "same-origin");
    assert_eq!(response.headers()["referrer-policy"], "no-referrer");
    let policy = response.headers()[CONTENT_SECURITY_POLICY].to_str().unwrap();
    for rule in [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types tidings-worker",
    ] {
        assert!(policy.contains(rule), "{policy}");
    }
    assert!(!policy.contains("unsafe"), "{policy}");
    let page = response.text().await.unwrap();
    assert!(!page.contains("<script>") && !page.contains(" style=") && !page.contains("onload"), "{page}");
    bystanders.unharmed().await;
}

#[tokio::test]
async fn files_come_compressed_as_the_browser_wants_them() {
    let server = TestServer::start(&[]).await;
    let script = script(&server).await;
    let mut sizes = Vec::new();
    for (accept, encoding) in
        [("gzip, br", Some("br")), ("gzip", Some("gzip")), ("identity", None), ("br;q=0", None)]
    {
        let response = get(&server, &script, &[(ACCEPT_ENCODING.as_str(), accept)]).await;
        let headers = response.headers();
        assert_eq!(headers.get(CONTENT_ENCODING).map(|value| value.to_str().unwrap()), encoding, "{accept}");
        assert_eq!(headers[VARY], "accept-encoding");
        assert_eq!(headers[CONTENT_TYPE], "text/javascript; charset=utf-8");
        sizes.push(response.bytes().await.unwrap().len());
    }
    assert!(sizes[0] < sizes[1] && sizes[1] < sizes[2] && sizes[2] == sizes[3], "{sizes:?}");
}

#[tokio::test]
async fn hashed_files_are_kept_and_the_page_is_asked_for_again() {
    let server = TestServer::start(&[]).await;
    let asset = get(&server, &script(&server).await, &[]).await;
    assert!(asset.headers()[CACHE_CONTROL].to_str().unwrap().contains("immutable"));
    let page = get(&server, "/", &[]).await;
    assert_eq!(page.headers()[CACHE_CONTROL], "no-cache");
    let etag = page.headers()[ETAG].to_str().unwrap();
    let again = get(&server, "/", &[(IF_NONE_MATCH.as_str(), etag)]).await;
    assert_eq!(again.status(), 304);
    assert!(again.bytes().await.unwrap().is_empty());
}

#[tokio::test]
async fn the_service_worker_is_asked_for_again_and_may_only_ask_the_server() {
    let server = TestServer::start(&[]).await;
    let response = get(&server, "/worker.js", &[]).await;
    let headers = response.headers();
    assert_eq!(headers[CONTENT_TYPE], "text/javascript; charset=utf-8");
    assert_eq!(headers[CACHE_CONTROL], "no-cache");
    assert_eq!(headers[CONTENT_SECURITY_POLICY], "default-src 'none'; connect-src 'self'");
    // It keeps what the page is made of, under the names of this build.
    let script = script(&server).await;
    assert!(response.text().await.unwrap().contains(&script), "{script}");
}

#[tokio::test]
async fn the_manifest_names_icons_that_are_there() {
    let server = TestServer::start(&[]).await;
    let response = get(&server, "/manifest.webmanifest", &[]).await;
    assert_eq!(response.headers()[CONTENT_TYPE], "application/manifest+json");
    let manifest: Value = response.json().await.unwrap();
    for icon in manifest["icons"].as_array().unwrap() {
        let answer = get(&server, icon["src"].as_str().unwrap(), &[]).await;
        assert_eq!(answer.status(), 200, "{icon}");
        assert_eq!(answer.headers()[CONTENT_TYPE], icon["type"].as_str().unwrap());
    }
}

#[tokio::test]
async fn nothing_falls_through_to_the_page() {
    let server = TestServer::start(&[]).await;
    let browser = Browser::program(&server.url);
    for path in ["/api", "/api/none", "/assets/none.js", "/none", "/assets", "/index.html.br/"] {
        let missing = answer(browser.request(Method::GET, path)).await;
        assert_eq!(code(&missing), (404, "not_found"), "{path}");
    }
    let posted = answer(browser.request(Method::POST, "/")).await;
    assert_eq!(code(&posted), (405, "method_not_allowed"));
    let head = browser.request(Method::HEAD, "/").send().await.unwrap();
    assert_eq!(head.status(), 200);
}
