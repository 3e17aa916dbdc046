//! Logging in and out over HTTP.

use std::time::Instant;

use futures::future::join_all;
use reqwest::Method;
use reqwest::header::{AUTHORIZATION, COOKIE, HeaderMap, HeaderName, ORIGIN, SET_COOKIE};
use serde_json::{Value, json};
use tidings::protocol::ServerFrame;

use crate::browser::{Browser, answer, code};
use crate::support::{Bystanders, Person, TestServer};

/// Where many ask at once, none is to be told that the database is busy.
const PATIENT: (&str, &str) = ("TIDINGS_POOL_TIMEOUT_MS", "60000");

/// What the cookie of a session is called there.
fn cookie_name(server: &TestServer) -> String {
    format!("tidings_session_{}", server.address().rsplit_once(':').unwrap().1)
}

#[tokio::test]
async fn a_name_is_the_browsers_that_chose_it() {
    let server = TestServer::start(&[]).await;
    let ada = Browser::on(&server.url);
    assert_eq!(ada.get("/api/session").await, (200, json!({ "user": null })), "a newcomer is no error");
    let (status, session) = ada.log_in("  Ada ").await;
    assert_eq!(
        (status, &session["user"]["name"], &session["has_password"]),
        (200, &json!("Ada"), &json!(false))
    );
    assert_eq!(session.get("token"), None);
    assert_eq!(ada.get("/api/session").await, (200, session.clone()));
    let other = Browser::on(&server.url);
    let taken = other.log_in("ADA").await;
    assert_eq!(code(&taken), (409, "name_taken"));
    assert_eq!(taken.1["field"], "name");
    assert_eq!(ada.log_in("ada").await, (200, session), "who is in stays in");
}

#[tokio::test]
async fn b18_fifty_browsers_claim_one_name() {
    let server = TestServer::start(&[("TIDINGS_CONNECTIONS_PER_ADDRESS", "100"), PATIENT]).await;
    let bystanders = Bystanders::of(&server).await;
    let claims = join_all((0..50).map(async |_| Browser::on(&server.url).log_in("Ada").await.0)).await;
    assert_eq!(claims.iter().filter(|status| **status == 200).count(), 1);
    assert_eq!(claims.iter().filter(|status| **status == 409).count(), 49);
    bystanders.unharmed().await;
}

#[tokio::test]
async fn b17_a_refused_name_says_which_rule() {
    let server = TestServer::start(&[]).await;
    let bystanders = Bystanders::of(&server).await;
    let browser = Browser::on(&server.url);
    for (name, sentence) in [
        ("", "empty"),
        ("   ", "empty"),
        ("x", "at least 2"),
        (&"x".repeat(10_240), "at most 32"),
        ("ab\u{202e}c", "invisible"),
        ("ab\u{200b}c", "invisible"),
        ("Аda", "different scripts"),
        ("Admin", "reserved"),
        ("adm1n", "reserved"),
    ] {
        let refused = browser.log_in(name).await;
        assert_eq!(code(&refused), (400, "invalid_name"), "{name:.20}");
        assert_eq!(refused.1["field"], "name");
        let message = refused.1["message"].as_str().unwrap();
        assert!(message.contains(sentence), "{message}");
    }
    bystanders.unharmed().await;
}

#[tokio::test]
async fn b10_prototype_names_are_plain_data() {
    let server = TestServer::start(&[]).await;
    let bystanders = Bystanders::of(&server).await;
    let browser = Browser::on(&server.url);
    assert_eq!(code(&browser.log_in("__proto__").await), (400, "invalid_name"));
    let body = r#"{"__proto__":{"name":"Eve"},"constructor":1,"name":"constructor"}"#;
    let request = browser.request(Method::POST, "/api/session").header("content-type", "application/json");
    let (status, session) = answer(request.body(body)).await;
    assert_eq!((status, &session["user"]["name"]), (200, &json!("constructor")));
    bystanders.unharmed().await;
}

#[tokio::test]
async fn a_password_opens_the_name_elsewhere() {
    let server = TestServer::start(&[]).await;
    let ada = Browser::on(&server.url);
    let log_in = |password: &str| json!({ "name": "Ada", "password": password });
    assert_eq!(code(&ada.post("/api/session", log_in("short")).await), (400, "invalid_password"));
    let (status, session) = ada.post("/api/session", log_in("a long enough one")).await;
    assert_eq!((status, &session["has_password"]), (200, &json!(true)));
    let other = Browser::on(&server.url);
    assert_eq!(code(&other.log_in("Ada").await), (401, "password_required"));
    assert_eq!(code(&other.post("/api/session", log_in("a wrong one")).await), (401, "wrong_password"));
    assert_eq!(other.post("/api/session", log_in("a long enough one")).await.1["user"], session["user"]);
}

#[tokio::test]
async fn a_new_password_needs_the_old_one_and_ends_other_sessions() {
    let server = TestServer::start(&[]).await;
    let ada = Browser::named(&server.url, "Ada").await;
    let set = |password: &str, current: Option<&str>| match current {
        Some(current) => json!({ "password": password, "current": current }),
        None => json!({ "password": password }),
    };
    let path = "/api/session/password";
    assert_eq!(code(&ada.put(path, set("short", None)).await), (400, "invalid_password"));
    assert_eq!(ada.put(path, set("first password", None)).await, (204, Value::Null));
    let other = Browser::on(&server.url);
    let log_in = json!({ "name": "Ada", "password": "first password" });
    assert_eq!(other.post("/api/session", log_in).await.0, 200);
    assert_eq!(code(&ada.put(path, set("second password", None)).await), (401, "wrong_password"));
    let wrong = ada.put(path, set("second password", Some("not the first"))).await;
    assert_eq!((code(&wrong), &wrong.1["field"]), ((401, "wrong_password"), &json!("current")));
    assert_eq!(ada.put(path, set("second password", Some("first password"))).await.0, 204);
    assert_eq!(ada.get("/api/session").await.1["has_password"], true);
    assert_eq!(other.get("/api/session").await.1["user"], Value::Null);
}

#[tokio::test]
async fn attempts_are_limited_by_name_and_by_address() {
    let server = TestServer::start(&[PATIENT]).await;
    let ada = Browser::on(&server.url);
    assert_eq!(ada.post("/api/session", json!({"name": "Ada", "password": "right password"})).await.0, 200);
    let guess = async |n: usize| {
        let body = json!({ "name": "Ada", "password": format!("wrong password {n}") });
        let other = Browser::on(&server.url);
        let answer = other.post("/api/session", body).await;
        (answer.0, answer.1["code"].as_str().unwrap().to_owned())
    };
    let begun = Instant::now();
    let guesses = join_all((0..40).map(guess)).await;
    // Ten at once, and one more every six seconds.
    let allowed = 10 + begun.elapsed().as_secs().div_ceil(6);
    let (refused, tried): (Vec<_>, Vec<_>) =
        guesses.into_iter().partition(|guess| *guess == (429, "rate_limited".to_owned()));
    assert!(!refused.is_empty() && tried.len() >= 10 && tried.len() as u64 <= allowed, "{tried:?}");
    // Hashing takes turns, and whoever waits for one too long is told so.
    assert!(tried.iter().all(|(_, code)| code == "wrong_password" || code == "busy"), "{tried:?}");
    assert!(tried.iter().any(|(_, code)| code == "wrong_password"), "{tried:?}");

    let strict = TestServer::start(&[("TIDINGS_LOGINS_PER_MINUTE", "2")]).await;
    for name in ["Bob", "Eve"] {
        Browser::named(&strict.url, name).await;
    }
    assert_eq!(code(&Browser::on(&strict.url).log_in("Zoe").await), (429, "rate_limited"));
}

#[tokio::test]
async fn the_cookie_is_out_of_reach_and_a_bearer_token_is_for_programs() {
    let server = TestServer::start(&[]).await;
    let request =
        Browser::on(&server.url).request(Method::POST, "/api/session").json(&json!({"name": "Ada"}));
    let response = request.send().await.unwrap();
    let cookie = response.headers()[SET_COOKIE].to_str().unwrap().to_owned();
    for attribute in
        [&*format!("{}=", cookie_name(&server)), "HttpOnly", "SameSite=Strict", "Path=/", "Max-Age="]
    {
        assert!(cookie.contains(attribute), "{cookie}");
    }
    assert!(!cookie.contains("Secure"), "the page came without TLS");

    let program = Browser::program(&server.url);
    let request = program.request(Method::POST, "/api/session").json(&json!({"name": "Bot", "bearer": true}));
    let response = request.send().await.unwrap();
    assert!(!response.headers().contains_key(SET_COOKIE));
    let session: Value = response.json().await.unwrap();
    let token = session["token"].as_str().unwrap();
    let asked = program.request(Method::GET, "/api/session").bearer_auth(token);
    assert_eq!(answer(asked).await.1["user"], session["user"]);

    let secure = TestServer::start(&[("TIDINGS_ORIGINS", "https://chat.example")]).await;
    let origin = HeaderMap::from_iter([(ORIGIN, "https://chat.example".parse().unwrap())]);
    let request = Browser::with_headers(&secure.url, origin).request(Method::POST, "/api/session");
    let response = request.json(&json!({"name": "Ada"})).send().await.unwrap();
    let cookie = response.headers()[SET_COOKIE].to_str().unwrap();
    assert!(cookie.starts_with("__Host-tidings_session_") && cookie.contains("Secure"), "{cookie}");
}

#[tokio::test]
async fn b25_old_forged_and_oversized_tokens_are_refused() {
    let server = TestServer::start(&[]).await;
    let bystanders = Bystanders::of(&server).await;
    let ada = Browser::named(&server.url, "Ada").await;
    let program = Browser::program(&server.url);
    let log_in = json!({"name": "Bot", "bearer": true});
    let token = program.post("/api/session", log_in).await.1["token"].as_str().unwrap().to_owned();
    let end = program.request(Method::DELETE, "/api/session").bearer_auth(&token);
    assert_eq!(answer(end).await.0, 204);
    let forged = "A".repeat(43);
    let oversized = "A".repeat(8_192);
    let headers: [(HeaderName, String); 6] = [
        (AUTHORIZATION, format!("Bearer {token}")),
        (AUTHORIZATION, format!("Bearer {forged}")),
        (AUTHORIZATION, "Bearer".into()),
        (COOKIE, format!("{}={token}", cookie_name(&server))),
        (COOKIE, format!("{}={forged}", cookie_name(&server))),
        (COOKIE, format!("{}={oversized}", cookie_name(&server))),
    ];
    for (name, value) in headers {
        for path in ["/api/users", "/api/session"] {
            let answer = answer(program.request(Method::GET, path).header(&name, &value)).await;
            if path == "/api/session" && name == COOKIE {
                assert_eq!(answer, (200, json!({ "user": null })), "{value:.60}");
            } else {
                assert_eq!(code(&answer), (401, "unauthorized"), "{value:.60}");
            }
        }
    }
    assert_eq!(ada.delete("/api/session").await, (204, Value::Null));
    assert_eq!(ada.get("/api/session").await, (200, json!({ "user": null })));
    assert_eq!(code(&ada.delete("/api/session").await), (401, "unauthorized"));
    bystanders.unharmed().await;
}

#[tokio::test]
async fn b25_the_sockets_of_a_session_close_when_it_ends() {
    let server = TestServer::start(&[]).await;
    let bystanders = Bystanders::of(&server).await;
    let ada = server.person("Ada").await;
    let (mut socket, mut silent) = (ada.connect(&[]).await, ada.upgrade().await.unwrap());
    let other = server.person("Bob").await;
    let mut others = other.connect(&[]).await;
    assert_eq!(answer(ada.request(Method::DELETE, "/api/session")).await.0, 204);
    assert_eq!((socket.end().await.code, silent.end().await.code), (4501, 4501));
    assert!(ada.upgrade().await.is_err());
    others.say_text(r#"{"type":"ping"}"#).await;
    others.expect("pong", |frame| matches!(frame, ServerFrame::Pong(_))).await;
    bystanders.unharmed().await;
}

#[tokio::test]
async fn b25_a_new_password_closes_the_sockets_of_other_sessions() {
    let server = TestServer::start(&[]).await;
    let bystanders = Bystanders::of(&server).await;
    let browser = Browser::on(&server.url);
    let log_in = json!({ "name": "Ada", "password": "first password", "bearer": true });
    let program = Browser::program(&server.url).post("/api/session", log_in.clone()).await.1;
    assert_eq!(
        browser.post("/api/session", json!({"name": "Ada", "password": "first password"})).await.0,
        200
    );
    let mut kept = Person::of(&server.url, serde_json::from_value(program).unwrap()).connect(&[]).await;
    let change = json!({ "password": "second password", "current": "first password" });
    assert_eq!(browser.put("/api/session/password", change).await.0, 204);
    assert_eq!(kept.end().await.code, 4501);
    assert_eq!(browser.get("/api/session").await.0, 200);
    bystanders.unharmed().await;
}

#[tokio::test]
async fn b26_other_sites_can_neither_log_in_nor_out() {
    let server = TestServer::start(&[]).await;
    let bystanders = Bystanders::of(&server).await;
    let ada = Browser::named(&server.url, "Ada").await;
    for origin in ["https://evil.example", "null", "http://127.0.0.1:1"] {
        let log_out = ada.request(Method::DELETE, "/api/session").header(ORIGIN, origin);
        assert_eq!(code(&answer(log_out).await), (403, "forbidden_origin"), "{origin}");
        let evil = Browser::program(&server.url);
        let log_in = evil.request(Method::POST, "/api/session").header(ORIGIN, origin);
        assert_eq!(code(&answer(log_in.json(&json!({"name": "Eve"}))).await), (403, "forbidden_origin"));
    }
    let evil = Browser::program(&server.url);
    let form = evil.request(Method::POST, "/api/session").header("sec-fetch-site", "cross-site");
    assert_eq!(code(&answer(form.body("name=Eve")).await), (403, "forbidden_origin"));
    assert_eq!(ada.get("/api/session").await.0, 200);

    let without_origin = Browser::program(&server.url);
    assert_eq!(without_origin.log_in("Bob").await.0, 200);
    assert_eq!(
        code(&without_origin.delete("/api/session").await),
        (403, "forbidden_origin"),
        "a cookie alone"
    );
    bystanders.unharmed().await;
}

#[tokio::test]
async fn a_new_name_ends_the_session_of_the_old_one() {
    let server = TestServer::start(&[]).await;
    let browser = Browser::named(&server.url, "Ada").await;
    let other = Browser::on(&server.url);
    assert_eq!(browser.log_in("Ada2").await.0, 200);
    assert_eq!(browser.get("/api/session").await.1["user"]["name"], "Ada2");
    assert_eq!(code(&other.log_in("Ada").await), (409, "name_taken"));
}
