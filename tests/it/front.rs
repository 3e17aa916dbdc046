//! What does not fit: methods, bodies, paths, connections, readiness.

use reqwest::Method;
use reqwest::header::{ALLOW, CONTENT_TYPE, ORIGIN};
use serde_json::json;
use sqlx::{Connection, Executor};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::browser::{Browser, answer, code};
use crate::support::{Bystanders, ServerProcess, TestDatabase, TestServer, eventually, in_time};

/// Sends bytes as they are and reads until the server closes.
async fn raw(address: &str, request: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut text = String::new();
    in_time("the server closes", stream.read_to_string(&mut text)).await.unwrap();
    text
}

/// Sends bytes as they are; the first words of the answer, and the connection.
async fn begun(address: &str, request: &str) -> (String, TcpStream) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = [0; "HTTP/1.1 200".len()];
    in_time("an answer", stream.read_exact(&mut answer)).await.unwrap();
    (String::from_utf8_lossy(&answer).into_owned(), stream)
}

fn status(answer: &str) -> &str {
    answer.split(' ').nth(1).unwrap_or("closed")
}

#[tokio::test]
async fn methods_types_and_sizes_that_do_not_fit() {
    let server = TestServer::start(&[]).await;
    let ada = Browser::named(&server.url, "Ada").await;
    for (method, path, known) in [
        (Method::PUT, "/api/session", "GET, POST, DELETE"),
        (Method::GET, "/api/session/password", "PUT"),
        (Method::POST, "/api/users", "GET"),
        (Method::DELETE, "/api/conversations", "GET, POST"),
        (Method::PATCH, "/api/conversations/x", "GET"),
        (Method::POST, "/api/conversations/x/messages", "GET"),
        (Method::POST, "/api/socket", "GET"),
        (Method::POST, "/healthz", "GET, HEAD"),
        (Method::POST, "/", "GET, HEAD"),
    ] {
        let request = || ada.request(method.clone(), path);
        assert_eq!(code(&answer(request()).await), (405, "method_not_allowed"), "{method} {path}");
        assert_eq!(request().send().await.unwrap().headers()[ALLOW], known, "{method} {path}");
    }
    let post = || ada.request(Method::POST, "/api/session");
    let typed = |kind: &'static str| post().header(CONTENT_TYPE, kind);
    assert_eq!(code(&answer(post().body(r#"{"name":"Bob"}"#)).await), (415, "unsupported_media_type"));
    assert_eq!(code(&answer(typed("text/plain").body("{}")).await), (415, "unsupported_media_type"));
    let large = format!(r#"{{"name":"{}"}}"#, "x".repeat(64 * 1024));
    assert_eq!(code(&answer(typed("application/json").body(large)).await), (413, "too_large"));
    let charset = typed("application/json; charset=utf-8").body(r#"{"name":"Ada"}"#);
    assert_eq!(answer(charset).await.0, 200);
}

#[tokio::test]
async fn b22_what_is_not_json_is_told_from_what_is_wrong_in_it() {
    let server = TestServer::start(&[]).await;
    let bystanders = Bystanders::of(&server).await;
    let browser = Browser::on(&server.url);
    let post = async |body: Vec<u8>| {
        let request = browser.request(Method::POST, "/api/session").header(CONTENT_TYPE, "application/json");
        answer(request.body(body)).await
    };
    let deep = format!(r#"{{"name":{}"#, "[".repeat(60_000));
    for text in ["", "name", "{", "[]", r#"["Ada"]"#, r#"{"name":"\ud800"}"#, r#"{"name":"Ada"} x"#, &deep] {
        let refused = post(text.into()).await;
        assert!(code(&refused) == (400, "bad_json") || text.len() > 1_000, "{text:.40}: {refused:?}");
        assert_eq!(refused.0, 400);
    }
    assert_eq!(code(&post(b"{\"name\":\"\xff\"}".to_vec()).await), (400, "bad_json"));
    for text in ["{}", r#"{"name":7}"#, r#"{"name":null}"#, r#"{"name":"Ada","name":"Bob"}"#] {
        let refused = post(text.into()).await;
        assert_eq!((code(&refused), &refused.1["field"]), ((400, "invalid_field"), &json!("name")), "{text}");
    }
    bystanders.unharmed().await;
}

#[tokio::test]
async fn b32_paths_lead_nowhere_else() {
    let server = TestServer::start(&[]).await;
    let bystanders = Bystanders::of(&server).await;
    for path in [
        "/api",
        "/api/",
        "/api/nonsense",
        "/api/session/x",
        "/api/../healthz",
        "/assets/",
        "/assets/none.js",
        "/assets/../index.html",
        "/assets/..%2findex.html",
        "/assets/%2e%2e/index.html",
        "/../../etc/passwd",
        "/..%2f..%2fetc%2fpasswd",
        "/%00",
        "/index.html%00.js",
        "/..\\..\\etc\\passwd",
        "/.env",
        "//healthz",
        "/Cargo.toml",
    ] {
        let answer = raw(
            server.address(),
            &format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"),
        )
        .await;
        assert!(["400", "404"].contains(&status(&answer)), "{path}: {answer}");
        if status(&answer) == "404" {
            assert!(answer.contains(r#""code":"not_found""#), "{path}: {answer}");
        }
    }
    bystanders.unharmed().await;
}

#[tokio::test]
async fn what_names_no_path_is_a_bad_request() {
    let server = TestServer::start(&[]).await;
    for target in ["CONNECT example.org:80", "GET x:80", "OPTIONS x:80", "GET x", "OPTIONS *", "GET *"] {
        let answer = raw(server.address(), &format!("{target} HTTP/1.1\r\nHost: localhost\r\n\r\n")).await;
        assert_eq!(status(&answer), "400", "{target}: {answer}");
        assert!(answer.contains(r#"{"code":"bad_request","message":""#), "{target}: {answer}");
    }
    for (target, expected) in [
        ("GET http://localhost/healthz", "200"),
        ("GET http://localhost", "200"),
        ("GET http://localhost?y", "200"),
        ("OPTIONS /", "405"),
    ] {
        let answer = raw(
            server.address(),
            &format!("{target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"),
        )
        .await;
        assert_eq!(status(&answer), expected, "{target}: {answer}");
    }
}

#[tokio::test]
async fn a_request_with_two_lengths_hides_no_other() {
    let server = TestServer::start(&[]).await;
    let hidden = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let (length, chunked) = ("Content-Length: 5\r\n", "Transfer-Encoding: chunked\r\n");
    for headers in [format!("{length}{chunked}"), format!("{chunked}{length}"), chunked.to_owned()] {
        let request =
            format!("POST /api/session HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n0\r\n\r\n{hidden}");
        // The server closes, and has answered once.
        let answer = raw(server.address(), &request).await;
        assert!(["400", "415"].contains(&status(&answer)), "{headers}: {answer}");
        assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{headers}: {answer}");
    }
}

#[tokio::test]
async fn a_request_names_one_host() {
    let server = TestServer::start(&[]).await;
    for (version, hosts, expected) in [
        ("1.1", "", "400"),
        ("1.1", "Host: localhost\r\nHost: localhost\r\n", "400"),
        ("1.1", "Host: localhost\r\nhost: 127.0.0.1\r\n", "400"),
        ("1.0", "Host: localhost\r\nHost: 127.0.0.1\r\n", "400"),
        ("1.1", "Host: localhost\r\n", "200"),
        ("1.1", "Host:\r\n", "421"),
        ("1.0", "", "200"),
    ] {
        let request = format!("GET /healthz HTTP/{version}\r\n{hosts}Connection: close\r\n\r\n");
        let answer = raw(server.address(), &request).await;
        assert_eq!(status(&answer), expected, "{version} {hosts:?}: {answer}");
        assert_eq!(answer.contains(r#"{"code":"bad_request","message":""#), expected == "400", "{answer}");
    }
}

#[tokio::test]
async fn b23_what_is_sent_does_not_break_the_log() {
    let server = ServerProcess::start(&[("RUST_LOG", "debug,sqlx=info")]).await;
    let bystanders = Bystanders::at(&server.url, &server.database_url()).await;
    let browser = Browser::on(&server.url);
    for name in ["a\r\nlogged in user=root", "a\u{1b}[31mred", "a\tb"] {
        assert_eq!(code(&browser.log_in(name).await), (400, "invalid_name"));
    }
    let answer =
        raw(server.address(), "GET /\u{1b}[31m HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            .await;
    assert_eq!(status(&answer), "400");
    let path = "/%0d%0alogged%20in%1b[31m";
    assert_eq!(browser.request(Method::GET, path).send().await.unwrap().status(), 404);
    bystanders.unharmed().await;
    eventually("it is in the log", async || server.log().contains(path)).await;
    let log = server.log();
    assert!(!log.contains(|c: char| c.is_control() && c != '\n'), "{log:?}");
    let begins_with_its_time =
        |line: &str| OffsetDateTime::parse(line.split(' ').next().unwrap(), &Rfc3339).is_ok();
    assert!(log.lines().all(begins_with_its_time), "{log}");
}

#[tokio::test]
async fn b24_the_upgrade_is_refused_to_other_pages() {
    let server = TestServer::start(&[]).await;
    let bystanders = Bystanders::of(&server).await;
    let ada = Browser::named(&server.url, "Ada").await;
    let upgrade = || {
        ada.request(Method::GET, "/api/socket")
            .header("connection", "upgrade")
            .header("upgrade", "websocket")
            .header("sec-websocket-version", "13")
            .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==")
            .header("sec-websocket-protocol", "tidings.v2")
    };
    let port = server.url.rsplit_once(':').unwrap().1;
    for origin in [
        "null",
        "http://evil.example",
        "http://127.0.0.1:1",
        &format!("http://127.0.0.1.evil.example:{port}"),
    ] {
        let refused = answer(upgrade().header(ORIGIN, origin)).await;
        assert_eq!(code(&refused), (403, "forbidden_origin"), "{origin}");
    }
    assert_eq!(upgrade().send().await.unwrap().status(), 101);
    let stranger = Browser::on(&server.url).request(Method::GET, "/api/socket");
    assert_eq!(code(&answer(stranger).await), (400, "bad_upgrade"));
    bystanders.unharmed().await;
}

#[tokio::test]
async fn b27_half_an_upgrade_is_refused() {
    let server = TestServer::start(&[]).await;
    let bystanders = Bystanders::of(&server).await;
    let whole = "Host: localhost\r\nConnection: close, upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: tidings.v2\r\n\r\n";
    for (first, headers, expected) in [
        ("GET /api/socket HTTP/1.1", whole.to_owned(), "401"),
        ("GET /api/socket HTTP/1.1", whole.replace("Version: 13", "Version: 8"), "426"),
        ("GET /api/socket HTTP/1.1", whole.replace("Key: dGhlIHNhbXBsZSBub25jZQ==", "Key: x"), "400"),
        ("GET /api/socket HTTP/1.1", whole.replace("Upgrade: websocket", "Upgrade: h2c"), "400"),
        ("POST /api/socket HTTP/1.1", whole.replace("\r\n\r\n", "\r\nContent-Length: 0\r\n\r\n"), "405"),
        ("GET /api/socket HTTP/1.0", whole.to_owned(), "401"),
        ("PRI * HTTP/2.0", "\r\nSM\r\n\r\n".to_owned(), "closed"),
    ] {
        let answer = raw(server.address(), &format!("{first}\r\n{headers}")).await;
        let got = status(&answer);
        assert!(
            got == expected || (expected == "closed" && !got.starts_with('2')),
            "{first} {expected}: {answer}"
        );
    }
    bystanders.unharmed().await;
}

#[tokio::test]
async fn b28_half_and_endless_requests_end() {
    let server = TestServer::start(&[("TIDINGS_HEADER_TIMEOUT_MS", "300")]).await;
    let bystanders = Bystanders::of(&server).await;
    for half in ["", "GET /heal", "GET /healthz HTTP/1.1\r\nHost: localhost\r\n"] {
        let answer = raw(server.address(), half).await;
        assert!(matches!(status(&answer), "closed" | "408"), "{half}: {answer}");
    }
    let huge = format!("GET /healthz HTTP/1.1\r\nHost: localhost\r\nCookie: {}", "a".repeat(40_000));
    assert_eq!(begun(server.address(), &huge).await.0, "HTTP/1.1 431");
    bystanders.unharmed().await;
}

#[tokio::test]
async fn b29_one_address_may_not_take_every_place() {
    let server = ServerProcess::start(&[("TIDINGS_CONNECTIONS_PER_ADDRESS", "2")]).await;
    let request = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let held = [begun(server.address(), request).await, begun(server.address(), request).await];
    assert!(held.iter().all(|(answer, _)| answer == "HTTP/1.1 200"), "{held:?}");
    let third = raw(server.address(), "").await;
    assert_eq!(status(&third), "429");
    assert!(third.ends_with(r#""retry_after_ms":5000}"#), "{third}");
    drop(held);
    // Whoever is turned away may be cut before the answer is read.
    let has_place = async || {
        let asked = Browser::program(&server.url).request(Method::GET, "/healthz").send().await;
        asked.is_ok_and(|answer| answer.status() == 200)
    };
    eventually("there is a place again", has_place).await;
    let counted = server.metric(r#"tidings_refusals_total{code="rate_limited"}"#).await;
    assert!(counted >= 1.0, "{counted} are counted");
}

#[tokio::test]
async fn f13_a_promise_that_does_not_hold_is_said() {
    let database = TestDatabase::create().await;
    let set = "DO $$BEGIN EXECUTE format('ALTER DATABASE %I SET synchronous_commit = off', current_database()); END$$";
    database.connection().await.execute(set).await.unwrap();
    let server = TestServer::on(database, &[]).await;
    let bystanders = Bystanders::of(&server).await;
    let (status, readiness) = Browser::program(&server.operators_url()).get("/readyz").await;
    assert_eq!((status, &readiness["ready"]), (200, &json!(true)));
    assert_eq!(readiness["warnings"][0]["setting"], "synchronous_commit");
    bystanders.unharmed().await;
}

#[tokio::test]
async fn f12_without_a_free_connection_the_answer_is_503_in_time() {
    let settings = [("TIDINGS_POOL_SIZE", "1"), ("TIDINGS_POOL_TIMEOUT_MS", "200")];
    let server = TestServer::start(&settings).await;
    let mut holder = server.database.connection().await;
    let mut transaction = holder.begin().await.unwrap();
    transaction.execute("LOCK TABLE users").await.unwrap();
    let url = server.url.clone();
    let stuck = tokio::spawn(async move { Browser::on(&url).log_in("Ada").await });
    // Only then: otherwise it might be the next one that has the connection.
    // A transaction sees the activity of its beginning, so this is another one.
    let mut observer = server.database.connection().await;
    eventually("the connection is in use", async || {
        let waiting = "SELECT count(*) FROM pg_stat_activity \
            WHERE datname = current_database() AND wait_event_type = 'Lock'";
        sqlx::query_scalar::<_, i64>(waiting).fetch_one(&mut observer).await.unwrap() == 1
    })
    .await;
    assert_eq!(code(&Browser::on(&server.url).log_in("Bob").await), (503, "storage_unavailable"));
    let readiness = Browser::program(&server.operators_url()).get("/readyz").await;
    assert_eq!((readiness.0, &readiness.1["missing"]), (503, &json!(["database"])));
    assert_eq!(Browser::program(&server.url).get("/readyz").await, (503, json!({ "ready": false })));
    transaction.rollback().await.unwrap();
    assert_eq!(stuck.await.unwrap().0, 200);
    assert_eq!(Browser::on(&server.url).log_in("Bob").await.0, 200);
}
