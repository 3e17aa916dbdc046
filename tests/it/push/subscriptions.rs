//! What may be subscribed, and when it ends.

use serde_json::json;
use sqlx::Row;

use super::*;
use crate::browser::{self, Browser, code};
use crate::support::{Bystanders, TestDatabase, eventually};

async fn subscriptions(database: &TestDatabase) -> i64 {
    let mut connection = database.connection().await;
    sqlx::query("SELECT count(*) FROM push_subscriptions").fetch_one(&mut connection).await.unwrap().get(0)
}

#[tokio::test]
async fn the_last_subscription_of_a_session_stands() {
    let service = PushService::start().await;
    let server = server(&service, &[]).await;
    let mut pair = Pair::of(&server, &service).await;
    subscribe(&pair.bob, &pair.device).await;
    let renewed = service.device("renewed");
    subscribe(&pair.bob, &renewed).await;
    pair.write("Are you there?").await;
    renewed.read(&service.push("renewed", 0).await);
    assert!(service.received("bob").is_empty());
    assert_eq!(subscriptions(&server.database).await, 1);
}

#[tokio::test]
async fn whatever_ends_a_session_ends_its_pushes() {
    let service = PushService::start().await;
    let server = server(&service, &[]).await;
    let mut pair = Pair::of(&server, &service).await;
    let delete = async |person: &Person, path: &str| {
        assert_eq!(person.request(Method::DELETE, path).send().await.unwrap().status(), 204);
    };
    // Twice: it may have been gone already.
    delete(&pair.bob, "/api/push/subscription").await;
    delete(&pair.bob, "/api/push/subscription").await;
    assert_eq!(subscriptions(&server.database).await, 0);

    let other = elsewhere(&pair.bob).await;
    subscribe(&other, &service.device("other")).await;
    delete(&other, "/api/session").await;
    assert_eq!(subscriptions(&server.database).await, 0);

    let other = elsewhere(&pair.bob).await;
    subscribe(&other, &service.device("other")).await;
    let password = json!({ "password": "a new password" });
    let set = pair.bob.request(Method::PUT, "/api/session/password").json(&password);
    assert_eq!(set.send().await.unwrap().status(), 200, "with another token");
    assert_eq!(subscriptions(&server.database).await, 0);

    pair.write("Are you there?").await;
    pair.marker(&server, &service, "Eve").await;
    assert!(service.received("bob").is_empty() && service.received("other").is_empty());
}

#[tokio::test]
async fn an_expired_session_gets_none() {
    let service = PushService::start().await;
    let server = server(&service, &[]).await;
    let mut pair = Pair::of(&server, &service).await;
    let mut connection = server.database.connection().await;
    sqlx::query("UPDATE sessions SET expires_at = now() WHERE user_id = $1")
        .bind(pair.bob.user.id.0)
        .execute(&mut connection)
        .await
        .unwrap();
    pair.write("Are you there?").await;
    pair.marker(&server, &service, "Eve").await;
    assert!(service.received("bob").is_empty());
}

/// A browser in which somebody else has logged in.
#[tokio::test]
async fn an_endpoint_is_of_the_session_that_gave_it_last() {
    let service = PushService::start().await;
    let server = server(&service, &[]).await;
    let mut pair = Pair::of(&server, &service).await;
    let zoe = server.person("Zoe").await;
    subscribe(&zoe, &pair.device).await;
    pair.write("Are you there?").await;
    pair.marker(&server, &service, "Eve").await;
    assert!(service.received("bob").is_empty());
    let conversation = pair.ada.conversation_with(&zoe).await;
    pair.hers.send(conversation, "And you?").await;
    assert_eq!(pair.device.read(&service.push("bob", 0).await).user, zoe.user.id);
}

#[tokio::test]
async fn of_too_many_the_oldest_makes_room() {
    let service = PushService::start().await;
    let server = server(&service, &[("TIDINGS_PUSH_SUBSCRIPTIONS", "2")]).await;
    let mut pair = Pair::of(&server, &service).await;
    for name in ["second", "third"] {
        subscribe(&elsewhere(&pair.bob).await, &service.device(name)).await;
    }
    assert_eq!(subscriptions(&server.database).await, 2);
    pair.write("Are you there?").await;
    service.push("second", 0).await;
    service.push("third", 0).await;
    assert!(service.received("bob").is_empty());
}

#[tokio::test]
async fn b34_what_is_no_subscription_is_refused_with_its_field() {
    let service = PushService::start().await;
    let server = server(&service, &[]).await;
    let bystanders = Bystanders::of(&server).await;
    let ada = server.person("Ada").await;
    let right = service.device("ada").subscription();
    let port = service.origin.rsplit_once(':').unwrap().1;
    for endpoint in [
        // This very machine, and the network that it is in.
        &format!("{}/api/session", server.url),
        &format!("http://localhost:{port}/x"),
        &format!("http://127.0.0.1:{port}@evil.example/x"),
        &format!("http://user@127.0.0.1:{port}/x"),
        &format!("http://127.1:{port}/x"),
        &format!("https://127.0.0.1:{port}/x"),
        "http://127.0.0.1/x",
        "https://169.254.169.254/latest/meta-data",
        "https://[::1]/x",
        "https://10.0.0.1/x",
        "https://fcm.googleapis.com/x",
        "file:///etc/passwd",
        "",
        &format!("{}/{}", service.origin, "x".repeat(1_024)),
    ] {
        let mut wrong = right.clone();
        wrong["endpoint"] = json!(endpoint);
        assert_eq!(try_subscribe(&ada, &wrong).await, (400, "endpoint".into()), "{endpoint:.80}");
    }
    for (field, value) in [
        ("p256dh", json!("")),
        ("p256dh", json!("A".repeat(87))),
        ("p256dh", json!("B".repeat(60_000))),
        ("auth", json!("short")),
        ("auth", json!("*".repeat(22))),
        ("auth", json!(7)),
        ("auth", json!(null)),
    ] {
        let mut wrong = right.clone();
        wrong["keys"][field] = value.clone();
        assert_eq!(try_subscribe(&ada, &wrong).await, (400, format!("keys.{field}")), "{value:.80}");
    }
    assert_eq!(try_subscribe(&ada, &json!({ "endpoint": "x" })).await, (400, "keys".into()));
    let mut large = right.clone();
    large["more"] = json!("x".repeat(70_000));
    assert_eq!(try_subscribe(&ada, &large).await.0, 413);
    assert_eq!(subscriptions(&server.database).await, 0);
    assert_eq!(try_subscribe(&ada, &right).await.0, 204);
    bystanders.unharmed().await;
}

#[tokio::test]
async fn b34_pushes_are_for_who_is_logged_in_on_a_page_of_this_server() {
    let service = PushService::start().await;
    let server = server(&service, &[]).await;
    let subscription = service.device("x").subscription();
    let (path, stranger) = ("/api/push/subscription", Browser::on(&server.url));
    assert_eq!(code(&stranger.get("/api/push").await), (401, "unauthorized"));
    assert_eq!(code(&stranger.put(path, subscription.clone()).await), (401, "unauthorized"));
    assert_eq!(code(&stranger.delete(path).await), (401, "unauthorized"));
    let ada = Browser::named(&server.url, "Ada").await;
    let evil = reqwest::header::HeaderValue::from_static("https://evil.example");
    for method in [Method::PUT, Method::DELETE] {
        let asked = ada.request(method, path).header("origin", evil.clone()).json(&subscription);
        assert_eq!(code(&browser::answer(asked).await), (403, "forbidden_origin"));
    }
    assert_eq!(code(&ada.get(path).await), (405, "method_not_allowed"));
    assert_eq!(code(&ada.post("/api/push", json!({})).await), (405, "method_not_allowed"));
    assert_eq!(ada.put(path, subscription).await.0, 204);
}

#[tokio::test]
async fn where_it_is_off_there_is_no_key() {
    let service = PushService::start().await;
    let server = server(&service, &[("TIDINGS_PUSH", "off")]).await;
    let (ada, bob) = (server.person("Ada").await, server.person("Bob").await);
    assert_eq!(public_key(&bob).await, None);
    assert_eq!(try_subscribe(&bob, &service.device("bob").subscription()).await.0, 404);
    let conversation = ada.conversation_with(&bob).await;
    let mut hers = ada.connect(&[]).await;
    let sent = hers.send(conversation, "Are you there?").await;
    hers.stored(sent).await;
}

#[tokio::test]
async fn servers_on_one_database_have_one_key_and_a_set_one_comes_first() {
    let service = PushService::start().await;
    let one = server(&service, &[]).await;
    let key = public_key(&one.person("Ada").await).await.unwrap();
    let database = one.stop().await;
    let again = TestServer::on(database, &[("TIDINGS_PUSH_HOSTS", &service.origin)]).await;
    assert_eq!(public_key(&again.person("Bob").await).await.as_deref(), Some(&*key));
    let database = again.stop().await;
    // Of the example in RFC 8291 §5: the key of the application server.
    let set = ("TIDINGS_VAPID_PRIVATE_KEY", "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw");
    let other = TestServer::on(database, &[set]).await;
    let public = "BP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A8";
    assert_eq!(public_key(&other.person("Eve").await).await.as_deref(), Some(public));
    eventually("it serves", async || {
        other.person("Zoe").await.get::<serde_json::Value>("/api/push").await.is_ok()
    })
    .await;
}
