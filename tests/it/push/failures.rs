//! Push services, stations and servers that fail.

use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use tidings::protocol::ServerFrame;

use super::device::signed;
use super::*;
use crate::support::{Bystanders, Directory, ServerProcess, eventually};

async fn is_subscribed(server: &TestServer, person: &Person) -> bool {
    let mut connection = server.database.connection().await;
    sqlx::query_scalar("SELECT EXISTS (SELECT FROM push_subscriptions WHERE user_id = $1)")
        .bind(person.user.id.0)
        .fetch_one(&mut connection)
        .await
        .unwrap()
}

#[tokio::test]
async fn a_subscription_that_is_gone_is_forgotten() {
    let service = PushService::start().await;
    let server = server(&service, &[]).await;
    let mut pair = Pair::of(&server, &service).await;
    for status in [404, 410] {
        let before = service.received("bob").len();
        subscribe(&pair.bob, &pair.device).await;
        service.answer("bob", &[Answer::Status(status)]);
        pair.write("Are you there?").await;
        service.push("bob", before).await;
        eventually("it is forgotten", async || !is_subscribed(&server, &pair.bob).await).await;
    }
    pair.write("Are you there?").await;
    pair.marker(&server, &service, "Eve").await;
    assert_eq!(service.received("bob").len(), 2);
}

#[tokio::test]
async fn what_a_service_cannot_take_now_is_sent_again_when_it_says() {
    let service = PushService::start().await;
    let server = server(&service, &[]).await;
    let mut pair = Pair::of(&server, &service).await;
    service.answer("bob", &[Answer::RetryAfter(429, 2), Answer::Status(503)]);
    pair.write("Are you there?").await;
    let (first, second, third) =
        (service.push("bob", 0).await, service.push("bob", 1).await, service.push("bob", 2).await);
    assert!(second.at - first.at >= Duration::from_secs(2), "it asked for two seconds");
    assert!(third.at - second.at >= Duration::from_secs(1), "a second without being asked");
    assert_eq!(pair.device.read(&first), pair.device.read(&third));
    assert!(is_subscribed(&server, &pair.bob).await);
}

#[tokio::test]
async fn what_is_refused_or_would_take_too_long_is_not_sent_again() {
    let service = PushService::start().await;
    let server = server(&service, &[]).await;
    let mut pair = Pair::of(&server, &service).await;
    for answer in [Answer::RetryAfter(503, 3_600), Answer::Status(403), Answer::Status(302)] {
        let before = service.received("bob").len();
        service.answer("bob", &[answer]);
        pair.write("Are you there?").await;
        service.push("bob", before).await;
    }
    assert!(is_subscribed(&server, &pair.bob).await, "it may be the server's own fault");
    // The next message makes a new one, of itself.
    pair.write("Hello?").await;
    assert_eq!(pair.device.read(&service.push("bob", 3).await).excerpt, "Hello?");
    // By when a push that was refused later comes again, any of these would have.
    service.answer("Eve", &[Answer::Status(503)]);
    pair.marker(&server, &service, "Eve").await;
    service.push("Eve", 1).await;
    assert_eq!(service.received("bob").len(), 4, "one was sent again");
}

#[tokio::test]
async fn a_newer_push_takes_the_place_of_one_that_waits_to_be_sent_again() {
    let service = PushService::start().await;
    let server = server(&service, &[]).await;
    let mut pair = Pair::of(&server, &service).await;
    service.answer("bob", &[Answer::RetryAfter(503, 5)]);
    pair.write("old").await;
    service.push("bob", 0).await;
    pair.write("new").await;
    let second = service.push("bob", 1).await;
    assert_eq!(pair.device.read(&second).excerpt, "new");
    pair.marker(&server, &service, "Eve").await;
    assert_eq!(service.received("bob").len(), 2);
}

/// Pushes that are sent to one service at a time (src/push/service.rs).
const AT_ONCE: usize = 32;

#[tokio::test]
async fn a_service_that_hangs_is_in_nobodys_way() {
    let (hanging, service) = (PushService::start().await, PushService::start().await);
    let both = format!("{},{}", hanging.origin, service.origin);
    let settings = [("TIDINGS_PUSH_HOSTS", &*both), INTERVAL, ("TIDINGS_PUSH_TIMEOUT_MS", "60000")];
    let server = TestServer::start(&settings).await;
    let bystanders = Bystanders::of(&server).await;
    hanging.always(Answer::Never);
    let in_flight = || (0..40).filter(|number| !hanging.received(&number.to_string()).is_empty()).count();
    let ada = server.person("Ada").await;
    let mut hers = ada.connect(&[]).await;
    // More than are sent at once.
    for number in 0..40 {
        let name = format!("hung {number}");
        let person = server.person(&name).await;
        subscribe(&person, &hanging.device(&number.to_string())).await;
        let conversation = ada.conversation_with(&person).await;
        let sent = hers.send(conversation, "Are you there?").await;
        hers.stored(sent).await;
    }
    eventually("as many hang as may", async || in_flight() >= AT_ONCE).await;
    let bob = server.person("Bob").await;
    let device = service.device("bob");
    subscribe(&bob, &device).await;
    let conversation = ada.conversation_with(&bob).await;
    let begun = Instant::now();
    let sent = hers.send(conversation, "And you?").await;
    hers.stored(sent).await;
    assert_eq!(device.read(&service.push("bob", 0).await).excerpt, "And you?");
    assert!(begun.elapsed() < Duration::from_secs(20), "after {:?}", begun.elapsed());
    assert_eq!(in_flight(), AT_ONCE);
    bystanders.unharmed().await;
    assert!(server.try_stop().await, "nor in the way of the end");
}

#[tokio::test]
async fn a_service_that_does_not_answer_in_time_is_tried_again() {
    let service = PushService::start().await;
    let server = server(&service, &[("TIDINGS_PUSH_TIMEOUT_MS", "100")]).await;
    let mut pair = Pair::of(&server, &service).await;
    service.answer("bob", &[Answer::Never]);
    pair.write("Are you there?").await;
    let again = service.push("bob", 1).await;
    assert_eq!(pair.device.read(&again).excerpt, "Are you there?");
}

#[tokio::test]
async fn a_full_queue_drops_what_comes() {
    let service = PushService::start().await;
    // The program: what it counts is of this test alone.
    let server = ServerProcess::start(&[
        ("TIDINGS_PUSH_HOSTS", &service.origin),
        ("TIDINGS_PUSH_QUEUE", "1"),
        ("TIDINGS_PUSH_INTERVAL_MS", "4000"),
    ])
    .await;
    let (ada, bob, eve) =
        (server.person("Ada").await, server.person("Bob").await, server.person("Eve").await);
    let (his, theirs) = (service.device("bob"), service.device("eve"));
    subscribe(&bob, &his).await;
    subscribe(&eve, &theirs).await;
    let (with_bob, with_eve) = (ada.conversation_with(&bob).await, ada.conversation_with(&eve).await);
    let mut hers = ada.connect(&[]).await;
    let dropped = async || server.metric(r#"tidings_pushes_total{outcome="dropped"}"#).await;
    for (conversation, body, dropped_by_then) in
        [(with_bob, "one", 0.0), (with_eve, "two", 1.0), (with_bob, "three", 1.0)]
    {
        let sent = hers.send(conversation, body).await;
        hers.stored(sent).await;
        eventually(body, async || dropped().await >= dropped_by_then).await;
        assert!(dropped().await <= dropped_by_then, "{body}");
    }
    assert_eq!(his.read(&service.push("bob", 0).await).excerpt, "three");
    eventually("there is room again", async || {
        let sent = hers.send(with_eve, "four").await;
        hers.stored(sent).await;
        !service.received("eve").is_empty()
    })
    .await;
    assert_eq!(theirs.read(&service.push("eve", 0).await).excerpt, "four");
    assert_eq!(service.received("bob").len(), 1);
}

#[tokio::test]
async fn a_station_that_dies_loses_no_notice() {
    let service = PushService::start().await;
    let server = server(&service, &[("TIDINGS_FAULTS", "on"), ("TIDINGS_PUSH_INTERVAL_MS", "500")]).await;
    let mut pair = Pair::of(&server, &service).await;
    for number in 0..4 {
        pair.write(&number.to_string()).await;
        pair.hers.say_text(r#"{"fault":"push"}"#).await;
        let push = service.push("bob", number).await;
        assert_eq!(pair.device.read(&push).excerpt, number.to_string());
    }
    pair.hers.say_text(r#"{"type":"ping"}"#).await;
    pair.hers.expect("pong", |frame| matches!(frame, ServerFrame::Pong(_))).await;
    assert!(!pair.hers.heard.iter().any(|frame| matches!(frame, ServerFrame::Resync(_))), "nobody notices");
}

#[tokio::test]
async fn a_killed_server_keeps_its_key_and_its_subscriptions_and_logs_neither() {
    let service = PushService::start().await;
    let settings = [("TIDINGS_PUSH_HOSTS", &*service.origin), INTERVAL, ("RUST_LOG", "info,tidings=trace")];
    let mut server = ServerProcess::start(&settings).await;
    let (ada, bob) = (server.person("Ada").await, server.person("Bob").await);
    let device = service.device("a-secret-place");
    subscribe(&bob, &device).await;
    let (key, conversation) = (public_key(&bob).await.unwrap(), ada.conversation_with(&bob).await);
    service.answer("a-secret-place", &[Answer::Status(201), Answer::Status(400)]);
    for body in ["a secret text", "another secret text"] {
        let mut hers = ada.connect(&[]).await;
        let sent = hers.send(conversation, body).await;
        hers.stored(sent).await;
        let index = usize::from(body.starts_with("another"));
        let push = service.push("a-secret-place", index).await;
        assert_eq!(device.read(&push).excerpt, body);
        signed(&push, &key);
        if index == 0 {
            server.end(Signal::SIGKILL).await;
            server.start_again().await;
            assert_eq!(public_key(&bob).await.as_ref(), Some(&key));
        }
    }
    eventually("it says what happened", async || server.log().contains("a push was refused")).await;
    assert!(server.metric("tidings_pushes_total{outcome=\"refused\"}").await > 0.0);
    let keys = device.subscription()["keys"].clone();
    for secret in ["secret", keys["auth"].as_str().unwrap(), keys["p256dh"].as_str().unwrap()] {
        assert!(!server.log().contains(secret), "{secret}");
    }
    server.end(Signal::SIGTERM).await;
}

#[tokio::test]
async fn a_service_is_reached_by_tls_if_its_certificate_is_trusted() {
    let (trusted, certificate) = PushService::start_secure().await;
    let (other, _) = PushService::start_secure().await;
    let directory = Directory::new();
    let roots = directory.path().join("roots.pem");
    std::fs::write(&roots, certificate).unwrap();
    let hosts =
        [&trusted.origin, &other.origin].map(|origin| origin.trim_start_matches("https://")).join(",");
    let roots = ("SSL_CERT_FILE", roots.to_str().unwrap());
    let mut server = ServerProcess::start(&[("TIDINGS_PUSH_HOSTS", &hosts), INTERVAL, roots]).await;
    let (ada, bob, eve) =
        (server.person("Ada").await, server.person("Bob").await, server.person("Eve").await);
    let (his, hers) = (trusted.device("bob"), other.device("eve"));
    subscribe(&bob, &his).await;
    subscribe(&eve, &hers).await;
    let mut socket = ada.connect(&[]).await;
    for person in [&eve, &bob] {
        let sent = socket.send(ada.conversation_with(person).await, "Are you there?").await;
        socket.stored(sent).await;
    }
    let push = trusted.push("bob", 0).await;
    assert_eq!(his.read(&push).excerpt, "Are you there?");
    assert_eq!(signed(&push, &public_key(&bob).await.unwrap())["aud"], *trusted.origin);
    let given_up = "tidings_pushes_total{outcome=\"failed\"}";
    eventually("it is given up", async || server.metric(given_up).await > 0.0).await;
    assert!(other.received("eve").is_empty());
    eventually("it is logged", async || server.log().contains("a push was given up")).await;
    server.end(Signal::SIGTERM).await;
}
