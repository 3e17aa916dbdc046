//! What is stored, and what everybody is told of it.

use tidings::domain::Operation;
use tidings::protocol::Code;
use tidings::registry::{SendRequest, UserDelivery};

use super::rig::{Rig, stored};
use crate::support::TestDatabase;

#[tokio::test]
async fn a_message_is_stored_before_it_is_answered_and_shown() {
    let database = TestDatabase::create().await;
    let rig = Rig::start(database.url()).await;
    let (mut ada, mut bob) = (rig.member().await, rig.member().await);
    let talk = rig.conversation(&[&ada, &bob]).await;
    let (message, duplicate) = stored(ada.send(ada.writes(talk, "Are you there?")).await);
    assert_eq!((message.seq, duplicate), (1, false));
    let event = bob.event().await;
    assert_eq!(event.event, message);
    let frame: serde_json::Value = serde_json::from_str(&event.frame).unwrap();
    assert_eq!((&frame["type"], &frame["kind"]), (&"event".into(), &"message".into()));
    assert_eq!(frame["body"], "Are you there?");
    let at: time::OffsetDateTime =
        sqlx::query_scalar("SELECT created_at FROM messages").fetch_one(&rig.pool).await.unwrap();
    assert_eq!(tidings::domain::rfc3339(at), *message.at);
    assert_eq!(at.nanosecond() % 1_000_000, 0, "what is shown is what is stored");
    assert_eq!(rig.log(talk).await.len(), 1);
}

#[tokio::test]
async fn f23_a_resent_message_is_stored_once() {
    let database = TestDatabase::create().await;
    let rig = Rig::start(database.url()).await;
    let (mut ada, mut bob) = (rig.member().await, rig.member().await);
    let talk = rig.conversation(&[&ada, &bob]).await;
    let first = ada.writes(talk, "once");
    let (message, _) = stored(ada.send(first.clone()).await);
    stored(ada.send(ada.writes(talk, "another")).await);
    assert_eq!(stored(ada.send(first).await), (message.clone(), true));
    rig.assert_dense(talk).await;
    assert_eq!(rig.log(talk).await.len(), 2);
    let seen = [bob.event().await, bob.event().await, bob.event().await];
    assert_eq!(
        seen.each_ref().map(|event| (event.event.seq, event.duplicate)),
        [(1, false), (2, false), (1, true)]
    );
}

#[tokio::test]
async fn a_message_submitted_twice_at_once_is_answered_twice() {
    let database = TestDatabase::create().await;
    let rig = Rig::start(database.url()).await;
    let (mut ada, bob) = (rig.member().await, rig.member().await);
    let talk = rig.conversation(&[&ada, &bob]).await;
    let message = ada.writes(talk, "twice");
    for _ in 0..3 {
        ada.submit(message.clone()).unwrap();
    }
    let answers = [ada.answer().await, ada.answer().await, ada.answer().await].map(stored);
    assert_eq!(
        answers.map(|(message, duplicate)| (message.seq, duplicate)),
        [(1, false), (1, true), (1, true)]
    );
}

#[tokio::test]
async fn b11_a_client_id_that_names_another_message_is_refused() {
    let database = TestDatabase::create().await;
    let rig = Rig::start(database.url()).await;
    let (mut ada, bob) = (rig.member().await, rig.member().await);
    let (talk, other) = (rig.conversation(&[&ada, &bob]).await, rig.conversation(&[&ada, &bob]).await);
    let first = ada.writes(talk, "first");
    stored(ada.send(first.clone()).await);
    let other_body = ada.repeats(talk, first.client_id, "second");
    assert_eq!(ada.send(other_body).await.outcome.unwrap_err().code, Code::IdReused);
    // In another conversation it names another one.
    let elsewhere = ada.repeats(other, first.client_id, "second");
    assert!(!stored(ada.send(elsewhere).await).1);
    // Both at once: which of them is first is decided, and the other refused.
    let fresh = ada.writes(talk, "third");
    ada.submit(fresh.clone()).unwrap();
    ada.submit(ada.repeats(talk, fresh.client_id, "fourth")).unwrap();
    assert_eq!(stored(ada.answer().await).0.body(), Some("third"));
    assert_eq!(ada.answer().await.outcome.unwrap_err().code, Code::IdReused);
    let bodies: Vec<String> = rig.log(talk).await.into_iter().map(|event| event.3).collect();
    assert_eq!(bodies, ["first", "third"]);
}

#[tokio::test]
async fn b11_a_client_id_names_one_event_whatever_its_kind() {
    let database = TestDatabase::create().await;
    let rig = Rig::start(database.url()).await;
    let (mut ada, bob) = (rig.member().await, rig.member().await);
    let talk = rig.conversation(&[&ada, &bob]).await;
    let pin = |named: &SendRequest| SendRequest {
        operation: Operation::Pin { target: 1, on: true },
        ..named.clone()
    };
    let message = ada.writes(talk, "first");
    stored(ada.send(message.clone()).await);
    assert_eq!(ada.send(pin(&message)).await.outcome.unwrap_err().code, Code::IdReused);
    // The reverse: the first is tried in the statement for messages that are all new, the
    // second is not, as it comes right after.
    let change = pin(&ada.writes(talk, "a pin"));
    assert_eq!(stored(ada.send(change.clone()).await).0.seq, 2);
    for _ in 0..2 {
        let reused = ada.repeats(talk, change.client_id, "second");
        assert_eq!(ada.send(reused).await.outcome.unwrap_err().code, Code::IdReused);
    }
    // Both at once: which of them is first is decided.
    let fresh = ada.writes(talk, "third");
    ada.submit(pin(&fresh)).unwrap();
    ada.submit(fresh).unwrap();
    assert!(stored(ada.answer().await).0.body().is_none());
    assert_eq!(ada.answer().await.outcome.unwrap_err().code, Code::IdReused);
    // Each is itself when it comes again.
    assert!(stored(ada.send(message).await).1);
    assert!(stored(ada.send(change).await).1);
    let bodies: Vec<String> = rig.log(talk).await.into_iter().map(|event| event.3).collect();
    assert_eq!(bodies, ["first", "pin 1 true", "pin 1 true"]);
}

#[tokio::test]
async fn b12_the_client_id_of_another_user_has_no_effect() {
    let database = TestDatabase::create().await;
    let rig = Rig::start(database.url()).await;
    let (mut ada, mut bob) = (rig.member().await, rig.member().await);
    let talk = rig.conversation(&[&ada, &bob]).await;
    let hers = ada.writes(talk, "hers");
    stored(ada.send(hers.clone()).await);
    let (his, duplicate) = stored(bob.send(bob.repeats(talk, hers.client_id, "his")).await);
    assert_eq!((his.seq, duplicate), (2, false));
    assert_eq!(stored(ada.send(hers).await).0.seq, 1);
}

#[tokio::test]
async fn a_conversation_of_others_looks_like_none() {
    let database = TestDatabase::create().await;
    let rig = Rig::start(database.url()).await;
    let (mut ada, bob, mut eve) = (rig.member().await, rig.member().await, rig.member().await);
    let talk = rig.conversation(&[&ada, &bob]).await;
    let foreign = eve.send(eve.writes(talk, "let me in")).await.outcome.unwrap_err();
    let nowhere = eve.writes(tidings::domain::ConversationId::fresh(), "hello?");
    assert_eq!(eve.send(nowhere).await.outcome.unwrap_err(), foreign);
    assert_eq!(foreign.code, Code::NotFound);
    assert_eq!(stored(ada.send(ada.writes(talk, "alone")).await).0.seq, 1);
}

#[tokio::test]
async fn receipts_go_to_others_and_counts_to_oneself() {
    let database = TestDatabase::create().await;
    let rig = Rig::start(database.url()).await;
    let (mut ada, mut bob) = (rig.member().await, rig.member().await);
    let talk = rig.conversation(&[&ada, &bob]).await;
    for number in 0..5 {
        ada.send(ada.writes(talk, &number.to_string())).await;
    }
    bob.send(bob.writes(talk, "mine")).await;
    bob.reach(talk, 5, 0);
    assert_eq!(receipt(ada.other().await), (5, 0, None));
    bob.reach(talk, 0, 2);
    assert_eq!(receipt(ada.other().await), (5, 2, None));
    assert_eq!(receipt(bob.other().await), (5, 2, Some(3)));
    // b14: backwards is ignored, beyond the end is the end, reading implies having.
    bob.reach(talk, 1, 1);
    bob.reach(talk, 0, 1_000_000_000_000_000_000);
    assert_eq!(receipt(bob.other().await), (6, 6, Some(0)));
    assert_eq!(receipt(ada.other().await), (6, 6, None));
}

#[tokio::test]
async fn b14_a_position_in_a_conversation_of_others_is_refused() {
    let database = TestDatabase::create().await;
    let rig = Rig::start(database.url()).await;
    let (ada, bob, mut eve) = (rig.member().await, rig.member().await, rig.member().await);
    let talk = rig.conversation(&[&ada, &bob]).await;
    eve.reach(talk, 1, 1);
    assert!(matches!(eve.other().await, UserDelivery::NoSuchConversation(id) if id == talk));
}

/// Delivered, read, unread.
fn receipt(delivery: UserDelivery) -> (u64, u64, Option<u64>) {
    let UserDelivery::Receipt(frame) = delivery else { panic!("{delivery:?} is no receipt") };
    let frame: serde_json::Value = serde_json::from_str(&frame).unwrap();
    let number = |name: &str| frame[name].as_u64();
    (number("delivered").unwrap(), number("read").unwrap(), number("unread"))
}
