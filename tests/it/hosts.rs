//! The names that the server answers to, what goes with every answer, and what
//! leads nowhere.

use reqwest::Method;
use reqwest::header::{ACCEPT, ACCEPT_LANGUAGE, HOST};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::browser::{Browser, answer, code};
use crate::support::{TestServer, in_time};

/// What a browser accepts in the place of a page.
const PAGE: &str = "text/html,application/xhtml+xml,*/*;q=0.8";

/// What the route is, beyond this line of its request.
const UPGRADE: &str = "Connection: upgrade, close\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
    Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: tidings.v2\r\n";

/// Sends a request for a host and reads until the server closes.
async fn ask(address: &str, line: &str, host: &str, more: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("{line} HTTP/1.1\r\nHost: {host}\r\n{more}Connection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    in_time("the server closes", stream.read_to_end(&mut answer)).await.unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

fn status(answer: &str) -> &str {
    answer.split(' ').nth(1).unwrap_or("closed")
}

#[tokio::test]
async fn c08_no_route_answers_for_a_host_that_may_be_anybodys() {
    let server = TestServer::start(&[]).await;
    let port = server.address().rsplit_once(':').unwrap().1;
    let foreign = format!("evil.example:{port}");
    let lines = [
        "GET /",
        "GET /worker.js",
        "GET /favicon.svg",
        "GET /none",
        "GET /healthz",
        "GET /readyz",
        "GET /metrics",
        "GET /api/session",
        "POST /api/session",
        "GET /api/users",
        "GET /api/none",
        "PUT /api/push/subscription",
        "OPTIONS /api/session",
    ];
    for line in lines {
        let answer = ask(server.address(), line, &foreign, "Content-Length: 0\r\n").await;
        assert_eq!(status(&answer), "421", "{line}: {answer}");
        assert!(
            answer.contains(r#""code":"unknown_host""#) && answer.contains("TIDINGS_ORIGINS"),
            "{answer}"
        );
    }
    let upgrade = ask(server.address(), "GET /api/socket", &foreign, UPGRADE).await;
    assert_eq!(status(&upgrade), "421", "{upgrade}");
    let whole = ask(server.address(), &format!("GET http://{foreign}/"), &foreign, "").await;
    assert_eq!(status(&whole), "421", "{whole}");
    for (target, host) in
        [("localhost", "evil.example"), ("evil.example", "localhost"), ("a@localhost", "localhost")]
    {
        let two = ask(server.address(), &format!("GET http://{target}/"), host, "").await;
        assert_eq!(status(&two), "400", "{target} {host}: {two}");
    }
    let metrics = server.operators_url();
    let operators = ask(metrics.trim_start_matches("http://"), "GET /metrics", &foreign, "").await;
    assert_eq!(status(&operators), "421", "{operators}");
    assert!(!operators.contains("tidings_"), "{operators}");

    let machine = nix::unistd::gethostname().unwrap().into_string().unwrap();
    let bare = machine.split('.').next().unwrap();
    for ours in ["localhost", "127.0.0.1", "[::1]", "192.0.2.1", &machine, &format!("{bare}.local")] {
        let answer = ask(server.address(), "GET /healthz", &format!("{ours}:{port}"), "").await;
        assert_eq!(status(&answer), "200", "{ours}: {answer}");
    }
}

#[tokio::test]
async fn c08_a_host_of_the_origins_is_answered() {
    let origins = "https://chat.example,https://bücher.example:8443";
    let server = TestServer::start(&[("TIDINGS_ORIGINS", origins)]).await;
    for (host, expected) in [
        ("chat.example", "200"),
        ("chat.example:8080", "200"),
        ("xn--bcher-kva.example:8443", "200"),
        ("localhost", "200"),
        ("evil.example", "421"),
        ("a.chat.example", "421"),
    ] {
        let answer = ask(server.address(), "GET /", host, "").await;
        assert_eq!(status(&answer), expected, "{host}: {answer}");
    }
}

#[tokio::test]
async fn c08_a_person_is_told_by_a_page_what_to_set() {
    let server = TestServer::start(&[]).await;
    let asked = Browser::program(&server.url).request(Method::GET, "/").header(ACCEPT, PAGE);
    let response = asked.header(HOST, "evil.example").send().await.unwrap();
    assert_eq!(response.status(), 421);
    assert_eq!(response.headers()["content-type"], "text/html; charset=utf-8");
    let text = response.text().await.unwrap();
    assert!(text.contains("TIDINGS_ORIGINS=https://chat.example.org"), "{text}");
    assert!(!text.contains("evil"), "{text}");
}

#[tokio::test]
async fn origins_match_however_they_are_written() {
    for (given, sent) in [
        ("https://chat.example:443/", "https://chat.example"),
        ("http://Chat.Example:80", "http://chat.example"),
        ("https://bücher.example", "https://xn--bcher-kva.example"),
    ] {
        let server = TestServer::start(&[("TIDINGS_ORIGINS", given)]).await;
        let origin = ["origin".parse().unwrap()].into_iter().zip([sent.parse().unwrap()]).collect();
        assert_eq!(Browser::with_headers(&server.url, origin).log_in("Ada").await.0, 200, "{given}");
        let refused = Browser::on(&server.url).log_in("Bob").await;
        assert_eq!(code(&refused), (403, "forbidden_origin"), "{given}");
    }
}

#[tokio::test]
async fn every_answer_has_the_headers_that_protect_it() {
    let server = TestServer::start(&[]).await;
    let operators = server.operators_url();
    let operators = operators.trim_start_matches("http://");
    for (address, line, host, expected) in [
        (server.address(), "GET /", "localhost", "200"),
        (server.address(), "GET /worker.js", "localhost", "200"),
        (server.address(), "GET /none", "localhost", "404"),
        (server.address(), "GET /", "evil.example", "421"),
        (server.address(), "GET *", "localhost", "400"),
        (server.address(), "GET /healthz", "localhost", "200"),
        (server.address(), "GET /readyz", "localhost", "200"),
        (server.address(), "GET /api/session", "localhost", "200"),
        (server.address(), "GET /api/users", "localhost", "401"),
        (server.address(), "GET /api/none", "localhost", "404"),
        (server.address(), "PATCH /api/users", "localhost", "405"),
        (server.address(), "GET /api/socket", "localhost", "400"),
        (operators, "GET /metrics", "localhost", "200"),
        (operators, "GET /", "localhost", "404"),
    ] {
        let answer = ask(address, line, host, "").await;
        assert_eq!(status(&answer), expected, "{line}: {answer}");
        assert_is_protected(line, &answer);
    }
    let strict = TestServer::start(&[("TIDINGS_CONNECTIONS_PER_ADDRESS", "1")]).await;
    let _held = TcpStream::connect(strict.address()).await.unwrap();
    // It is answered unasked: what it sent would be lost with the answer.
    let mut second = TcpStream::connect(strict.address()).await.unwrap();
    let mut turned_away = String::new();
    in_time("the server closes", second.read_to_string(&mut turned_away)).await.unwrap();
    assert_eq!(status(&turned_away), "429", "{turned_away}");
    assert_is_protected("turned away", &turned_away);
}

fn assert_is_protected(what: &str, answer: &str) {
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let head = head.to_ascii_lowercase();
    for header in [
        "content-security-policy: default-src 'none'",
        "x-content-type-options: nosniff",
        "permissions-policy: accelerometer=(), camera=()",
        "referrer-policy: no-referrer",
        "cross-origin-opener-policy: same-origin",
        "cross-origin-resource-policy: same-origin",
        "cache-control: ",
    ] {
        assert_eq!(head.matches(header).count(), 1, "{what}: {header} in {head}");
    }
    assert!(!head.contains("strict-transport-security"), "{what}: {head}");
    if body.starts_with('{') {
        assert!(head.contains("cache-control: no-store"), "{what}: {head}");
    }
}

#[tokio::test]
async fn an_unknown_address_is_a_page_for_people_and_json_for_programs() {
    let server = TestServer::start(&[]).await;
    let program = Browser::program(&server.url);
    for (language, title) in [("en-GB,en", "Page not found"), ("de-AT,de;q=0.9", "Seite nicht gefunden")] {
        for path in ["/none", "/c/0199a3b0-0000-7000-8000-000000000001", "/assets/none.js", "/metrics"] {
            let asked = program.request(Method::GET, path).header(ACCEPT, PAGE);
            let response = asked.header(ACCEPT_LANGUAGE, language).send().await.unwrap();
            assert_eq!(response.status(), 404, "{path}");
            let policy = response.headers()["content-security-policy"].to_str().unwrap().to_owned();
            let text = response.text().await.unwrap();
            assert!(text.contains(&format!("<h1>{title}</h1>")) && text.contains("href=\"/\""), "{text}");
            assert!(policy.contains("style-src 'sha256-") && !policy.contains("unsafe"), "{policy}");
        }
    }
    for path in ["/api", "/api/none"] {
        let asked = program.request(Method::GET, path).header(ACCEPT, PAGE);
        assert_eq!(code(&answer(asked).await), (404, "not_found"), "{path}");
    }
    assert_eq!(code(&program.get("/none").await), (404, "not_found"));
}
