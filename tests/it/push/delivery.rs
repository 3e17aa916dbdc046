//! Who gets which push, and when.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::json;
use tidings::domain::ClientId;
use tidings::protocol::{ClientFrame, Content, Position, Send, ServerFrame};
use uuid::Uuid;

use super::device::signed;
use super::*;

#[tokio::test]
async fn who_has_no_socket_gets_a_push_that_only_the_browser_reads() {
    let service = PushService::start().await;
    let server = server(&service, &[("TIDINGS_PUSH_CONTACT", "mailto:ada@example.org")]).await;
    let mut pair = Pair::of(&server, &service).await;
    pair.write("Are you there?").await;
    let text = format!("  Then:\n\n{}", "é".repeat(200));
    pair.write(&text).await;
    let push = service.push("bob", 0).await;

    let notice = pair.device.read(&push);
    assert_eq!((notice.user, notice.conversation, notice.seq), (pair.bob.user.id, pair.conversation, 2));
    assert_eq!((&notice.sender, notice.unread), (&pair.ada.user, 2));
    assert_eq!(notice.excerpt, format!("Then: {}…", "é".repeat(133)));
    assert_eq!(notice.at, *pair.bob.history(pair.conversation).await[1].at);

    let claims = signed(&push, &public_key(&pair.bob).await.unwrap());
    assert_eq!((&claims["aud"], &claims["sub"]), (&json!(service.origin), &json!("mailto:ada@example.org")));
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let left = claims["exp"].as_u64().unwrap() - now;
    assert!(left > 3_600 && left <= 24 * 3_600, "{left}");

    assert_eq!((push.header("content-encoding"), push.header("ttl")), ("aes128gcm", "86400"));
    assert_eq!((push.header("urgency"), push.header("topic").len()), ("normal", 32));
    let id = pair.conversation.to_string();
    assert!(!push.header("topic").contains(&id[..8]) && !push.body.windows(4).any(|part| part == b"Then"));
}

#[tokio::test]
async fn who_has_a_socket_gets_none_and_neither_does_who_wrote() {
    let service = PushService::start().await;
    let server = server(&service, &[]).await;
    let mut pair = Pair::of(&server, &service).await;
    subscribe(&pair.ada, &service.device("ada")).await;
    let mut his = pair.bob.connect(&[]).await;
    pair.write("Are you there?").await;
    his.message("Are you there?").await;
    pair.marker(&server, &service, "Eve").await;
    assert!(service.received("bob").is_empty() && service.received("ada").is_empty());
}

#[tokio::test]
async fn a_pin_calls_nobody() {
    let service = PushService::start().await;
    let server = server(&service, &[]).await;
    let mut pair = Pair::of(&server, &service).await;
    pair.write("Are you there?").await;
    service.push("bob", 0).await;
    let (client_id, conversation) = (ClientId(Uuid::now_v7()), pair.conversation);
    let content = Content::Pin { target: 1, on: true };
    pair.hers.say(&ClientFrame::Send(Send { client_id, conversation, content })).await;
    pair.hers.stored(client_id).await;
    pair.marker(&server, &service, "Eve").await;
    assert_eq!(service.received("bob").len(), 1);
}

/// A reload, say.
#[tokio::test]
async fn who_comes_back_in_time_gets_none() {
    let service = PushService::start().await;
    let server = server(&service, &[("TIDINGS_PUSH_INTERVAL_MS", "3000")]).await;
    let mut pair = Pair::of(&server, &service).await;
    pair.write("Are you there?").await;
    let _his = pair.bob.connect(&[]).await;
    pair.marker(&server, &service, "Eve").await;
    assert!(service.received("bob").is_empty());
}

#[tokio::test]
async fn who_has_read_it_in_time_gets_none() {
    let service = PushService::start().await;
    let server = server(&service, &[("TIDINGS_PUSH_INTERVAL_MS", "3000")]).await;
    let mut pair = Pair::of(&server, &service).await;
    pair.write("Are you there?").await;
    let mut his = pair.bob.connect(&[(pair.conversation, 0)]).await;
    his.say(&ClientFrame::Read(Position { conversation: pair.conversation, seq: 1 })).await;
    let read = |frame: &ServerFrame| matches!(frame, ServerFrame::Receipt(receipt) if receipt.read == 1);
    pair.hers.expect("it is read", read).await;
    drop(his);
    pair.marker(&server, &service, "Eve").await;
    assert!(service.received("bob").is_empty());
}

/// Presence shows them as online still.
#[tokio::test]
async fn who_is_in_the_grace_has_no_socket() {
    let service = PushService::start().await;
    let server = server(&service, &[("TIDINGS_PRESENCE_GRACE_MS", "600000")]).await;
    let mut pair = Pair::of(&server, &service).await;
    let mut his = pair.bob.connect(&[]).await;
    his.try_say(tokio_tungstenite::tungstenite::Message::Close(None)).await.unwrap();
    his.end().await;
    // Whether his actor has gone when this is stored, only the next one tells.
    let mut number = 0;
    crate::support::eventually("a push", async || {
        number += 1;
        pair.write(&number.to_string()).await;
        !service.received("bob").is_empty()
    })
    .await;
    let people: tidings::protocol::People = pair.ada.get("/api/users?online=true&q=Bob").await.unwrap();
    assert_eq!(people.users.len(), 1, "he counts as online");
}

#[tokio::test]
async fn a_thousand_messages_are_a_few_pushes_and_the_last_says_so() {
    let service = PushService::start().await;
    let settings = [("TIDINGS_UNACKNOWLEDGED_SENDS", "1024"), ("TIDINGS_OUTBOUND_FRAMES", "4096")];
    let server = server(&service, &settings).await;
    let mut pair = Pair::of(&server, &service).await;
    let begun = std::time::Instant::now();
    let mut last = None;
    for number in 1..=1_000 {
        last = Some(pair.hers.send(pair.conversation, &number.to_string()).await);
    }
    pair.hers.stored(last.unwrap()).await;
    let newest = async || {
        let push = service.received("bob").pop()?;
        Some(pair.device.read(&push)).filter(|notice| notice.seq == 1_000)
    };
    let notice = crate::support::eventually_some("the newest", newest).await;
    assert_eq!((&*notice.excerpt, notice.unread), ("1000", 100));
    let pushes = service.received("bob");
    let allowed = begun.elapsed().as_millis() / 200 + 1;
    assert!(pushes.len() as u128 <= allowed, "{} of {allowed}", pushes.len());
    let seqs: Vec<_> = pushes.iter().map(|push| pair.device.read(push).seq).collect();
    assert!(seqs.is_sorted_by(|one, next| one < next), "{seqs:?}");
    assert!(pushes.iter().all(|push| push.header("topic") == pushes[0].header("topic")));
}

#[tokio::test]
async fn every_browser_of_the_reader_gets_one() {
    let service = PushService::start().await;
    let server = server(&service, &[]).await;
    let mut pair = Pair::of(&server, &service).await;
    let phone = service.device("phone");
    subscribe(&elsewhere(&pair.bob).await, &phone).await;
    pair.write("Are you there?").await;
    let (one, other) = (service.push("bob", 0).await, service.push("phone", 0).await);
    assert_eq!(pair.device.read(&one), phone.read(&other));
    assert_ne!(one.header("topic"), other.header("topic"), "nobody tells that they are of one conversation");
}
