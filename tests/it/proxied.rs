//! Behind a proxy, on a port beside another server, and after an upgrade: who
//! asks, and by which cookie.

use reqwest::header::{COOKIE, HeaderMap, HeaderValue, ORIGIN, SET_COOKIE};
use reqwest::{Method, Response};
use serde_json::{Value, json};

use crate::browser::{Browser, answer, code};
use crate::support::{Person, ServerProcess, TestDatabase, TestServer, eventually};

const BEHIND_A_PROXY: (&str, &str) = ("TIDINGS_TRUSTED_PROXIES", "127.0.0.0/8, ::1");

/// A program somewhere behind the proxy.
fn from(server: &TestServer, address: &str) -> Browser {
    let address = HeaderValue::from_str(address).unwrap();
    Browser::with_headers(&server.url, HeaderMap::from_iter([("x-forwarded-for".parse().unwrap(), address)]))
}

/// A page of this address, behind the proxy.
fn page(server: &TestServer, headers: &[(&'static str, &str)]) -> Browser {
    let headers = headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
    Browser::with_headers(&server.url, headers.collect())
}

/// The cookies that an answer sets, by name, with their values and attributes.
fn cookies(response: &Response) -> Vec<(String, String)> {
    let all = response.headers().get_all(SET_COOKIE).iter().map(|cookie| cookie.to_str().unwrap());
    all.map(|cookie| cookie.split_once('=').unwrap()).map(|(name, rest)| (name.into(), rest.into())).collect()
}

fn port(server: &TestServer) -> &str {
    server.address().rsplit_once(':').unwrap().1
}

#[tokio::test]
async fn limits_count_the_address_behind_a_trusted_proxy() {
    let limits = [("TIDINGS_LOGINS_PER_MINUTE", "1"), BEHIND_A_PROXY];
    let server = TestServer::start(&limits).await;
    assert_eq!(from(&server, "198.51.100.1").log_in("Ada").await.0, 200);
    assert_eq!(from(&server, "198.51.100.2").log_in("Bob").await.0, 200);
    // What the client itself wrote stands left of what the proxy did.
    let refused = from(&server, "1.2.3.4, 198.51.100.1").log_in("Eve").await;
    assert_eq!(code(&refused), (429, "rate_limited"));

    let unaware = TestServer::start(&limits[..1]).await;
    assert_eq!(from(&unaware, "198.51.100.1").log_in("Ada").await.0, 200);
    let refused = from(&unaware, "198.51.100.2").log_in("Bob").await;
    assert_eq!(code(&refused), (429, "rate_limited"), "nobody is believed unasked");
}

#[tokio::test]
async fn b29_sockets_are_counted_by_the_address_behind_a_trusted_proxy() {
    let server = TestServer::start(&[("TIDINGS_CONNECTIONS_PER_ADDRESS", "1"), BEHIND_A_PROXY]).await;
    let ada: Person = server.person("Ada").await;
    // Without a word of the proxy it is the proxy's own.
    let _socket = ada.upgrade().await.unwrap();
    let refused = answer(ada.request(Method::GET, "/api/session")).await;
    assert_eq!(code(&refused), (429, "rate_limited"));
    let other = ada.request(Method::GET, "/api/session").header("forwarded", "for=198.51.100.1");
    assert_eq!(answer(other).await.0, 200);
}

#[tokio::test]
async fn what_came_by_tls_has_a_cookie_for_tls_alone() {
    let server = TestServer::start(&[BEHIND_A_PROXY]).await;
    let tls = [("x-forwarded-for", "198.51.100.1"), ("x-forwarded-proto", "https")];
    let headers = [&tls[..], &[("host", "localhost"), ("origin", "https://localhost")]].concat();
    let log_in = |browser: &Browser| {
        browser.request(Method::POST, "/api/session").json(&json!({ "name": "Ada" })).send()
    };
    let response = log_in(&page(&server, &headers)).await.unwrap();
    assert_eq!(response.headers()["strict-transport-security"], "max-age=31536000");
    let [(name, rest)] = &cookies(&response)[..] else { panic!("{:?}", cookies(&response)) };
    assert_eq!(name, "__Host-tidings_session_443");
    assert!(rest.contains("Secure") && rest.contains("Path=/") && !rest.contains("Domain"), "{rest}");
    let plain = page(&server, &[("origin", &server.url)]);
    let response =
        plain.request(Method::POST, "/api/session").json(&json!({ "name": "Bob" })).send().await.unwrap();
    assert!(!response.headers().contains_key("strict-transport-security"));
    assert_eq!(cookies(&response)[0].0, format!("tidings_session_{}", port(&server)));
}

#[tokio::test]
async fn behind_tls_that_no_proxy_tells_of_the_page_does() {
    let server = TestServer::start(&[]).await;
    let origin = format!("https://{}", server.address());
    let headers = [("origin", &*origin)];
    let response = page(&server, &headers).request(Method::POST, "/api/session");
    let response = response.json(&json!({ "name": "Ada" })).send().await.unwrap();
    let name = format!("__Host-tidings_session_{}", port(&server));
    let set = cookies(&response);
    assert!(set.len() == 1 && set[0].0 == name && set[0].1.contains("Secure"), "{set:?}");
    // A browser gives that back by TLS only, so its next questions come by TLS, too.
    let held = format!("{name}={}", set[0].1.split(';').next().unwrap());
    let asked = Browser::program(&server.url).request(Method::GET, "/api/session").header(COOKIE, held);
    assert_eq!(
        cookies(&asked.send().await.unwrap()).iter().map(|(name, _)| name).collect::<Vec<_>>(),
        [&name]
    );
}

#[tokio::test]
async fn a_proxy_that_is_not_trusted_is_named_once() {
    let database = TestDatabase::create().await;
    let server = ServerProcess::start(&[("DATABASE_URL", database.url())]).await;
    let program = Browser::program(&server.url);
    for _ in 0..3 {
        let asked = program.request(Method::GET, "/healthz").header("x-forwarded-for", "198.51.100.1");
        assert_eq!(asked.send().await.unwrap().status(), 200);
    }
    let warning = "not in TIDINGS_TRUSTED_PROXIES";
    eventually("it is said", async || server.log().contains(warning)).await;
    assert_eq!(server.log().matches(warning).count(), 1, "{}", server.log());
}

#[tokio::test]
async fn the_port_of_the_cookie_is_that_of_the_page() {
    let origins = [("TIDINGS_ORIGINS", "https://chat.example:8443,https://talk.example")];
    let server = TestServer::start(&origins).await;
    for (host, origin, name) in [
        // A proxy that leaves the port out, one that does not, and one that asks by another name.
        ("chat.example", "https://chat.example:8443", "__Host-tidings_session_8443"),
        ("chat.example:8443", "https://chat.example:8443", "__Host-tidings_session_8443"),
        ("talk.example", "https://talk.example", "__Host-tidings_session_443"),
        ("localhost:9000", "https://talk.example", "__Host-tidings_session_9000"),
    ] {
        let browser = page(&server, &[("host", host), ("origin", origin)]);
        let log_in = json!({ "name": format!("From {}", origin.len() + host.len()) });
        let response = browser.request(Method::POST, "/api/session").json(&log_in).send().await.unwrap();
        assert_eq!(cookies(&response)[0].0, name, "{host}");
    }
}

#[tokio::test]
async fn two_servers_on_one_host_keep_their_sessions_apart() {
    let (one, other) = (TestServer::start(&[]).await, TestServer::start(&[]).await);
    let mut jar: Vec<(String, String)> = Vec::new();
    let mut ask = async |server: &TestServer, method: Method, body: Option<Value>| {
        let all: Vec<_> = jar.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let request = Browser::program(&server.url).request(method, "/api/session");
        let request = request.header(COOKIE, all.join("; ")).header(ORIGIN, &server.url);
        let response =
            body.into_iter().fold(request, |request, body| request.json(&body)).send().await.unwrap();
        for (name, rest) in cookies(&response) {
            jar.retain(|(known, _)| *known != name);
            if !rest.contains("Max-Age=0") {
                jar.push((name, rest.split(';').next().unwrap().to_owned()));
            }
        }
        response.text().await.unwrap()
    };
    ask(&one, Method::POST, Some(json!({ "name": "Ada" }))).await;
    ask(&other, Method::POST, Some(json!({ "name": "Bob" }))).await;
    assert!(ask(&one, Method::GET, None).await.contains("Ada"));
    assert!(ask(&other, Method::GET, None).await.contains("Bob"));
    ask(&other, Method::DELETE, None).await;
    assert!(ask(&one, Method::GET, None).await.contains("Ada"), "a log-out is one server's, too");
    assert_eq!(ask(&other, Method::GET, None).await, r#"{"user":null}"#);
}

#[tokio::test]
async fn a_cookie_of_an_older_name_is_read_once_and_gets_the_new_one() {
    let server = TestServer::start(&[]).await;
    let ada = server.person("Ada").await;
    let (new, old) = (format!("tidings_session_{}", port(&server)), "tidings_session");
    let ask = async |method: Method, cookies: String| {
        let request = Browser::on(&server.url).request(method, "/api/session");
        request.header(COOKIE, cookies).send().await.unwrap()
    };
    let response = ask(Method::GET, format!("{old}={}", ada.token)).await;
    let set = cookies(&response);
    let named = |name: &str| set.iter().find(|(set, _)| set == name).map(|(_, rest)| rest.as_str());
    assert!(named(&new).is_some_and(|rest| rest.starts_with(&ada.token)), "{set:?}");
    assert!(named(old).is_some_and(|rest| rest.contains("Max-Age=0")), "{set:?}");
    assert!(response.text().await.unwrap().contains("Ada"));

    // Another server's cookie of the old name is left alone.
    let neighbours = "A".repeat(43);
    let response = ask(Method::GET, format!("{old}={neighbours}; {new}={}", ada.token)).await;
    assert_eq!(cookies(&response).iter().map(|(name, _)| name).collect::<Vec<_>>(), [&new]);

    let response = ask(Method::DELETE, format!("{old}={neighbours}; {new}={}", ada.token)).await;
    assert_eq!(response.status(), 204);
    let taken = cookies(&response);
    assert!(taken.iter().all(|(_, rest)| rest.contains("Max-Age=0")), "{taken:?}");
    let names: Vec<_> = taken.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, [new.as_str(), old], "a log-out takes back all");
}
