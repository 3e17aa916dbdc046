//! What lets somebody in, and what ends that.

use std::time::Instant;

use futures::future::{join, join_all};
use reqwest::Method;
use reqwest::header::{COOKIE, ORIGIN, SET_COOKIE};
use serde_json::{Value, json};

use crate::browser::{Answer, Browser, answer, code};
use crate::support::{Bystanders, Person, ServerProcess, TestServer, eventually};

/// Hashes wait for their turn on a busy machine.
const PATIENT: (&str, &str) = ("TIDINGS_POOL_TIMEOUT_MS", "60000");

async fn log_in(browser: &Browser, name: &str, password: &str) -> Answer {
    browser.post("/api/session", json!({ "name": name, "password": password })).await
}

async fn change(browser: &Browser, current: &str, password: &str) -> Answer {
    browser.put("/api/session/password", json!({ "password": password, "current": current })).await
}

#[tokio::test]
async fn a05_a_log_in_that_is_being_verified_fails_when_the_password_changes() {
    let server = TestServer::start(&[PATIENT]).await;
    let bystanders = Bystanders::of(&server).await;
    let ada = Browser::on(&server.url);
    assert_eq!(log_in(&ada, "Ada", "correct horse 0").await.0, 200);
    for round in 0..6 {
        let (old, new) = (format!("correct horse {round}"), format!("correct horse {}", round + 1));
        let others: Vec<_> = (0..3).map(|_| Browser::on(&server.url)).collect();
        let log_ins = join_all(others.iter().map(|other| log_in(other, "Ada", &old)));
        let (begun, changed) = join(log_ins, change(&ada, &old, &new)).await;
        assert_eq!(changed.0, 204, "round {round}: {changed:?}");
        for (other, answer) in others.iter().zip(begun) {
            assert!([200, 401].contains(&answer.0), "{answer:?}");
            assert_eq!(other.get("/api/conversations").await.0, 401, "round {round}: {answer:?}");
        }
    }
    bystanders.unharmed().await;
}

#[tokio::test]
async fn a05_a_password_change_replaces_the_secret_and_keeps_the_session() {
    let server = TestServer::start(&[]).await;
    let program = Browser::program(&server.url);
    let bot = program.post("/api/session", json!({ "name": "Bot", "bearer": true })).await.1;
    let bot = Person::of(&server.url, serde_json::from_value(bot).unwrap());
    let mut socket = bot.connect(&[]).await;
    let body = json!({ "password": "correct horse" });
    let renewed = answer(bot.request(Method::PUT, "/api/session/password").json(&body)).await;
    assert_eq!((renewed.0, &renewed.1["has_password"]), (200, &json!(true)));
    socket.ping().await;
    assert!(bot.get::<Value>("/api/conversations").await.is_err(), "the old token opens nothing");
    let renewed = Person::of(&server.url, serde_json::from_value(renewed.1).unwrap());
    renewed.get::<Value>("/api/conversations").await.unwrap();
    renewed.connect(&[]).await.ping().await;

    let request = Browser::on(&server.url).request(Method::POST, "/api/session");
    let response = request.json(&json!({ "name": "Ada" })).send().await.unwrap();
    let cookie = response.headers()[SET_COOKIE].to_str().unwrap().split(';').next().unwrap().to_owned();
    let page = Browser::program(&server.url);
    let set = page.request(Method::PUT, "/api/session/password").header(ORIGIN, &server.url);
    let response = set.header(COOKIE, &cookie).json(&body).send().await.unwrap();
    assert_eq!(response.status(), 204);
    assert!(response.headers()[SET_COOKIE].to_str().unwrap().contains("HttpOnly"));
    let old = Browser::program(&server.url).request(Method::GET, "/api/conversations").header(COOKIE, cookie);
    assert_eq!(answer(old).await.0, 401);
    assert_eq!(page.get("/api/conversations").await.0, 200, "the new cookie is in its place");
}

#[tokio::test]
async fn a06_a_socket_ends_with_its_session() {
    let server = TestServer::start(&[("TIDINGS_SESSION_CHECK_MS", "100")]).await;
    let bystanders = Bystanders::of(&server).await;
    let (ada, bob) = (server.person("Ada").await, server.person("Bob").await);
    let (mut expires, mut revoked) = (ada.connect(&[]).await, bob.connect(&[]).await);
    let mut connection = server.database.connection().await;
    let expire = "UPDATE sessions SET expires_at = now() + interval '300 ms' WHERE user_id = $1";
    sqlx::query(expire).bind(ada.user.id.0).execute(&mut connection).await.unwrap();
    assert_eq!(expires.end().await.code, 4501);
    // As another server on the same database would.
    let revoke = "DELETE FROM sessions WHERE user_id = $1";
    sqlx::query(revoke).bind(bob.user.id.0).execute(&mut connection).await.unwrap();
    assert_eq!(revoked.end().await.code, 4501);
    assert!(ada.upgrade().await.is_err() && bob.upgrade().await.is_err());
    bystanders.unharmed().await;
}

/// What ends on this server closes its sockets at once: nothing is polled.
#[tokio::test]
async fn a06_a_socket_of_a_revoked_session_closes_at_once() {
    let server = TestServer::start(&[("TIDINGS_SESSION_CHECK_MS", "60000")]).await;
    let ada = server.person("Ada").await;
    let again =
        answer(ada.request(Method::POST, "/api/session").json(&json!({"name": "Ada", "bearer": true})));
    let other = Person::of(&server.url, serde_json::from_value(again.await.1).unwrap());
    let (mut first, mut second) = (ada.connect(&[]).await, other.connect(&[]).await);
    let begun = Instant::now();
    let set = ada.request(Method::PUT, "/api/session/password").json(&json!({ "password": "correct horse" }));
    assert_eq!(answer(set).await.0, 200);
    assert_eq!(second.end().await.code, 4501);
    assert!(begun.elapsed().as_secs() < 20, "it was polled for");
    first.ping().await;
}

#[tokio::test]
async fn a06_a_session_in_use_is_put_off_but_not_beyond_its_lifetime() {
    let settings = [("TIDINGS_SESSION_CHECK_MS", "100"), ("TIDINGS_SESSION_MAX_DAYS", "10")];
    let server = TestServer::start(&settings).await;
    let ada = server.person("Ada").await;
    let mut socket = ada.connect(&[]).await;
    let mut connection = server.database.connection().await;
    let days = "SELECT round(extract(epoch FROM expires_at - now()) / 86400)::int FROM sessions";
    assert_eq!(sqlx::query_scalar::<_, i32>(days).fetch_one(&mut connection).await.unwrap(), 10);
    let age =
        "UPDATE sessions SET created_at = now() - interval '4 days', used_at = now() - interval '1 day',
        expires_at = now() + interval '1 day'";
    sqlx::query(age).execute(&mut connection).await.unwrap();
    // By the socket alone.
    eventually("the session is put off", async || {
        sqlx::query_scalar::<_, i32>(days).fetch_one(&mut connection).await.unwrap() == 6
    })
    .await;
    let expire =
        "UPDATE sessions SET created_at = now() - interval '10 days', used_at = now() - interval '1 day'";
    sqlx::query(expire).execute(&mut connection).await.unwrap();
    assert_eq!(socket.end().await.code, 4501);
    assert!(ada.get::<Value>("/api/conversations").await.is_err());
}

#[tokio::test]
async fn a07_no_page_is_given_a_token() {
    let server = TestServer::start(&[]).await;
    let bystanders = Bystanders::of(&server).await;
    let ada = Browser::named(&server.url, "Ada").await;
    let asked = json!({ "name": "Ada", "bearer": true });
    let refused = ada.post("/api/session", asked.clone()).await;
    assert_eq!(code(&refused), (403, "forbidden_origin"), "by its cookie and its origin");
    assert_eq!(refused.1["field"], "bearer");
    let new = json!({ "name": "Eve", "bearer": true });
    assert_eq!(Browser::on(&server.url).post("/api/session", new.clone()).await.0, 403, "by its origin");
    for site in ["same-origin", "none"] {
        let request = Browser::program(&server.url).request(Method::POST, "/api/session");
        assert_eq!(answer(request.header("sec-fetch-site", site).json(&new)).await.0, 403, "{site}");
    }
    let request = Browser::program(&server.url).request(Method::POST, "/api/session");
    let with_cookie = request.header(COOKIE, "tidings_session=anything").json(&new);
    assert_eq!(answer(with_cookie).await.0, 403, "by its cookie");
    assert_eq!(ada.get("/api/conversations").await.0, 200, "its session goes on");
    assert_eq!(Browser::program(&server.url).post("/api/session", new).await.0, 200);
    bystanders.unharmed().await;
}

#[tokio::test]
async fn a07_a_token_needs_the_password_and_ends_with_the_other_sessions() {
    let server = TestServer::start(&[]).await;
    let ada = Browser::on(&server.url);
    assert_eq!(log_in(&ada, "Ada", "correct horse").await.0, 200);
    let program = Browser::program(&server.url);
    let asked = json!({ "name": "Ada", "password": "correct horse", "bearer": true });
    let token = program.post("/api/session", asked).await.1["token"].as_str().unwrap().to_owned();
    // Who has a token gets no other one by it.
    let again = program.request(Method::POST, "/api/session").bearer_auth(&token);
    let again = answer(again.json(&json!({ "name": "Ada", "bearer": true }))).await;
    assert_eq!(code(&again), (401, "password_required"));
    let with_token = || answer(program.request(Method::GET, "/api/conversations").bearer_auth(&token));
    assert_eq!(with_token().await.0, 200);
    assert_eq!(change(&ada, "correct horse", "battery staple").await.0, 204);
    assert_eq!(with_token().await.0, 401);
}

#[tokio::test]
async fn c10_wrong_passwords_from_elsewhere_do_not_keep_the_owner_out() {
    let server = TestServer::start(&[PATIENT]).await;
    let bystanders = Bystanders::of(&server).await;
    let ada = Browser::on(&server.url);
    assert_eq!(log_in(&ada, "Ada", "correct horse").await.0, 200);
    let attacker = Browser::elsewhere(&server.url, 2);
    let guesses = join_all((0..25).map(|n| {
        let attacker = &attacker;
        async move { log_in(attacker, "Ada", &format!("wrong password {n}")).await.0 }
    }));
    let guesses = guesses.await;
    assert!(guesses.contains(&429), "{guesses:?}");
    assert_eq!(log_in(&attacker, "Ada", "correct horse").await.0, 429, "not from there");

    let owner = Browser::elsewhere(&server.url, 3);
    assert_eq!(log_in(&owner, "Ada", "correct horse").await.0, 200);
    assert_eq!(change(&ada, "correct horse", "battery staple").await.0, 204, "in a live session");
    bystanders.unharmed().await;
}

#[tokio::test]
async fn c10_guesses_in_a_live_session_have_a_count_of_their_own() {
    let server = TestServer::start(&[PATIENT]).await;
    let ada = Browser::on(&server.url);
    assert_eq!(log_in(&ada, "Ada", "correct horse").await.0, 200);
    let mut answers = Vec::new();
    while !answers.contains(&429) {
        assert!(answers.len() < 40, "{answers:?}");
        answers.push(change(&ada, "a wrong one", "battery staple").await.0);
    }
    assert!(answers.len() > 10 && answers[..10].iter().all(|status| *status == 401), "{answers:?}");
    assert_eq!(log_in(&Browser::on(&server.url), "Ada", "correct horse").await.0, 200);
}

#[tokio::test]
async fn a_failed_log_in_is_logged_without_what_was_typed() {
    let server = ServerProcess::start(&[("TIDINGS_LOG_JSON", "on")]).await;
    let ada = Browser::on(&server.url);
    assert_eq!(log_in(&ada, "Ada Secret", "correct horse").await.0, 200);
    let other = Browser::elsewhere(&server.url, 4);
    for _ in 0..11 {
        log_in(&other, "ada secret", "hunter2\nhunter3").await;
    }
    let failures = || {
        let log = server.log();
        let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let failed = |line: &Value| line["fields"]["message"] == "a log-in failed";
        lines.filter(failed).map(|line| line["fields"].clone()).collect::<Vec<_>>()
    };
    eventually("all are logged", async || failures().len() == 11).await;
    let all = failures();
    assert!(all.iter().all(|fields| fields["peer"] == "127.0.0.4" && fields["name"] == all[0]["name"]));
    assert_eq!(all[0]["name"].as_str().unwrap().len(), 16);
    assert_eq!(
        (&all[0]["why"], &all[10]["why"]),
        (&json!("wrong password"), &json!("too many wrong passwords"))
    );
    let log = server.log().to_lowercase();
    assert!(!log.contains("hunter") && !log.contains("secret"), "{log}");
}
