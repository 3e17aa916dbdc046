//! c11: how much of everything one person may have in a day.

use reqwest::Method;
use serde_json::{Value, json};
use tidings::protocol::{Code, ServerFrame};

use crate::browser::{Browser, answer, code};
use crate::support::{Bystanders, Person, TestServer};

async fn open(me: &Person, other: &Person) -> (u16, Value) {
    answer(me.request(Method::POST, "/api/conversations").json(&json!({ "user": other.user.id }))).await
}

#[tokio::test]
async fn c11_new_conversations_have_a_quota() {
    let server = TestServer::start(&[("TIDINGS_CONVERSATIONS_PER_DAY", "2")]).await;
    let bystanders = Bystanders::of(&server).await;
    let (ada, bob) = (server.person("Ada").await, server.person("Bob").await);
    let (eve, zoe) = (server.person("Eve").await, server.person("Zoe").await);
    let nobody = json!({ "user": tidings::domain::UserId::fresh() });
    for _ in 0..3 {
        let request = ada.request(Method::POST, "/api/conversations").json(&nobody);
        assert_eq!(answer(request).await.0, 404, "with nobody there is none to count");
    }
    assert_eq!((open(&ada, &bob).await.0, open(&ada, &eve).await.0), (200, 200));
    let refused = open(&ada, &zoe).await;
    assert_eq!(code(&refused), (429, "rate_limited"));
    let wait = refused.1["retry_after_ms"].as_u64().unwrap();
    assert!((11..=12).contains(&wait.div_ceil(3_600_000)), "half a day: {wait}");
    assert_eq!(open(&ada, &bob).await.0, 200, "one that is there counts for nothing");
    assert_eq!(open(&zoe, &ada).await.0, 200, "nor one that another begins");
    assert_eq!(open(&ada, &zoe).await.0, 200);
    bystanders.unharmed().await;
}

#[tokio::test]
async fn c11_what_is_stored_has_a_quota() {
    let server = TestServer::start(&[("TIDINGS_STORED_BYTES_PER_DAY", "1000")]).await;
    let (ada, bob) = (server.person("Ada").await, server.person("Bob").await);
    let conversation = ada.conversation_with(&bob).await;
    let mut socket = ada.connect(&[]).await;
    let first = socket.send(conversation, &"a".repeat(800)).await;
    socket.stored(first).await;
    // By another connection, after the actor has ended: it is the user's.
    drop(socket);
    let mut socket = ada.connect(&[]).await;
    let second = socket.send(conversation, &"b".repeat(800)).await;
    let refused = socket.expect("a refusal", |frame| matches!(frame, ServerFrame::Error(_))).await;
    let ServerFrame::Error(refused) = refused else { unreachable!() };
    assert_eq!((refused.client_id, refused.error.code), (Some(second), Code::RateLimited));
    assert!(refused.error.retry_after_ms.unwrap() > 60_000 * 60, "{refused:?}");
    let mut other = bob.connect(&[]).await;
    let sent = other.send(conversation, &"c".repeat(800)).await;
    other.stored(sent).await;
}

#[tokio::test]
async fn c11_log_ins_to_one_name_have_a_quota_that_only_its_owner_uses() {
    let server = TestServer::start(&[("TIDINGS_LOGINS_PER_DAY", "3")]).await;
    let log_in = |password: &str| json!({ "name": "Ada", "password": password });
    let ada = Browser::on(&server.url);
    assert_eq!(ada.post("/api/session", log_in("correct horse")).await.0, 200);
    for _ in 0..5 {
        let wrong = Browser::elsewhere(&server.url, 2).post("/api/session", log_in("a wrong one")).await;
        assert_eq!(wrong.0, 401);
    }
    for _ in 0..3 {
        let again = Browser::on(&server.url).post("/api/session", log_in("correct horse")).await;
        assert_eq!(again.0, 200);
    }
    let refused = Browser::on(&server.url).post("/api/session", log_in("correct horse")).await;
    assert_eq!(code(&refused), (429, "rate_limited"));
    assert!(refused.1["retry_after_ms"].as_u64().unwrap() > 60_000 * 60 * 7);
    assert_eq!(ada.get("/api/conversations").await.0, 200);
}

#[tokio::test]
async fn ids_tell_no_time_and_a_pair_has_one_conversation() {
    let server = TestServer::start(&[]).await;
    let (ada, bob) = (server.person("Ada").await, server.person("Bob").await);
    assert_eq!(ada.user.id.0.get_version_num(), 4);
    let (one, other) = futures::join!(ada.conversation_with(&bob), bob.conversation_with(&ada));
    assert_eq!(one, other);
    assert_eq!(one.0.get_version_num(), 8);
}
