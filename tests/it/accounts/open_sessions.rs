//! The list of one's sessions, and their end from elsewhere.

use reqwest::Method;
use reqwest::header::{ORIGIN, USER_AGENT};
use serde_json::{Value, json};

use crate::browser::{Browser, answer, code};
use crate::support::{Bystanders, Person, TestServer};

const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0";
const PASSWORD: &str = "correct horse";

async fn log_in(server: &TestServer, user_agent: &str) -> Browser {
    let browser = Browser::on(&server.url);
    let request = browser.request(Method::POST, "/api/session").header(USER_AGENT, user_agent);
    let entered = answer(request.json(&json!({ "name": "Ada", "password": PASSWORD }))).await;
    assert_eq!(entered.0, 200, "{entered:?}");
    browser
}

async fn token(server: &TestServer) -> Person {
    let asked = json!({ "name": "Ada", "password": PASSWORD, "bearer": true });
    let session = Browser::program(&server.url).post("/api/session", asked).await.1;
    Person::of(&server.url, serde_json::from_value(session).unwrap())
}

async fn listed(browser: &Browser) -> Vec<Value> {
    browser.get("/api/sessions").await.1["sessions"].as_array().unwrap().clone()
}

#[tokio::test]
async fn ones_sessions_are_listed_in_words() {
    let server = TestServer::start(&[]).await;
    let bystanders = Bystanders::of(&server).await;
    let ada = log_in(&server, FIREFOX).await;
    let _bot = log_in(&server, "curl/8.5.0").await;
    let sessions = listed(&ada).await;
    assert_eq!(sessions.len(), 2, "not those of others: {sessions:?}");
    let own: Vec<_> = sessions.iter().filter(|session| session["current"] == true).collect();
    assert_eq!(own.len(), 1);
    assert_eq!((&own[0]["browser"], &own[0]["system"]), (&json!("Firefox"), &json!("Linux")));
    let other = sessions.iter().find(|session| session["current"] == false).unwrap();
    assert_eq!((&other["browser"], other.get("system")), (&json!("curl"), None));
    for session in &sessions {
        let (day, created) = (session["last_used"].as_str().unwrap(), session["created"].as_str().unwrap());
        assert!(day.len() == 10 && created.len() == 24 && created >= day, "{session}");
    }
    assert_eq!(code(&Browser::on(&server.url).get("/api/sessions").await), (401, "unauthorized"));
    bystanders.unharmed().await;
}

#[tokio::test]
async fn a_session_is_ended_from_another_one_and_by_nobody_else() {
    let server = TestServer::start(&[]).await;
    let bystanders = Bystanders::of(&server).await;
    let (ada, other) = (log_in(&server, FIREFOX).await, token(&server).await);
    let mut socket = other.connect(&[]).await;
    let sessions = listed(&ada).await;
    let id = |current: bool| {
        let wanted = sessions.iter().find(|session| session["current"] == current).unwrap();
        format!("/api/sessions/{}", wanted["id"].as_str().unwrap())
    };
    let eve = Browser::named(&server.url, "Eve").await;
    assert_eq!(code(&eve.delete(&id(false)).await), (404, "not_found"));
    let forged = ada.request(Method::DELETE, &id(false)).header(ORIGIN, "https://evil.example");
    assert_eq!(code(&answer(forged).await), (403, "forbidden_origin"));
    for unknown in ["/api/sessions/x", &format!("/api/sessions/{}", "0".repeat(64))] {
        assert_eq!(code(&ada.delete(unknown).await), (404, "not_found"));
    }
    socket.ping().await;

    assert_eq!(ada.delete(&id(false)).await.0, 204);
    assert_eq!(socket.end().await.code, 4501);
    assert!(other.get::<Value>("/api/conversations").await.is_err());
    assert_eq!(listed(&ada).await.len(), 1);
    assert_eq!(ada.delete(&id(true)).await.0, 204, "one's own");
    assert_eq!(ada.get("/api/conversations").await.0, 401);
    bystanders.unharmed().await;
}

#[tokio::test]
async fn a07_logging_out_everywhere_ends_every_session_and_token() {
    let server = TestServer::start(&[]).await;
    let bystanders = Bystanders::of(&server).await;
    let (ada, elsewhere, bot) =
        (log_in(&server, FIREFOX).await, log_in(&server, FIREFOX).await, token(&server).await);
    let mut socket = bot.connect(&[]).await;
    assert_eq!(ada.delete("/api/sessions").await.0, 204);
    assert_eq!(socket.end().await.code, 4501);
    for browser in [&ada, &elsewhere] {
        assert_eq!(browser.get("/api/conversations").await.0, 401);
    }
    assert!(bot.get::<Value>("/api/conversations").await.is_err());
    log_in(&server, FIREFOX).await;
    bystanders.unharmed().await;
}
