//! Bad JSON on the socket; bad frames are in `frames`. Ids are those of
//! docs/reliability.md.

use serde_json::{Value, json};
use tidings::domain::ConversationId;
use tidings::protocol::{ErrorFrame, ServerFrame};

use crate::support::{Bystanders, Socket, TestServer};

async fn refused(socket: &mut Socket, text: &str) -> ErrorFrame {
    socket.say_text(text).await;
    match socket.expect("an error", |frame| matches!(frame, ServerFrame::Error(_))).await {
        ServerFrame::Error(error) => error,
        other => unreachable!("{other:?}"),
    }
}

#[tokio::test]
async fn b08_b09_what_cannot_be_read_is_named_and_the_connection_lives() {
    let server = TestServer::start(&[]).await;
    let bystanders = Bystanders::of(&server).await;
    let mut socket = server.person("Ada").await.connect(&[]).await;
    let id = ConversationId::fresh();
    let deep = format!(r#"{{"type":"ping","x":{}"#, "[".repeat(60_000));
    for (text, code, field) in [
        (deep, "bad_json", None),
        ("hello".to_owned(), "bad_json", None),
        (format!(r#"{{"type":"read","conversation":"{id}","seq":1e400}}"#), "bad_json", None),
        (r#"{"type":"sing"}"#.to_owned(), "unknown_type", Some("type")),
        (r#"{"type":"ping","type":"ping"}"#.to_owned(), "invalid_field", Some("type")),
        (r#"{"type":"typing"}"#.to_owned(), "invalid_field", Some("conversation")),
        (r#"{"type":"typing","conversation":7}"#.to_owned(), "invalid_field", Some("conversation")),
        (
            format!(r#"{{"type":"typing","conversation":"{id}","conversation":"{id}"}}"#),
            "invalid_field",
            Some("conversation"),
        ),
    ] {
        let error = serde_json::to_value(refused(&mut socket, &text).await).unwrap();
        assert_eq!((&error["code"], &error["field"]), (&json!(code), &json!(field)), "{text:.60}");
        socket.ping().await;
    }
    bystanders.unharmed().await;
}

#[tokio::test]
async fn b31_hello_comes_first_and_once() {
    let server = TestServer::start(&[]).await;
    let bystanders = Bystanders::of(&server).await;
    let mut socket = server.person("Ada").await.upgrade().await.unwrap();
    let hello = r#"{"type":"hello","cursors":[]}"#;
    let code = |error: ErrorFrame| serde_json::to_value(error.error.code).unwrap();
    assert_eq!(code(refused(&mut socket, r#"{"type":"ping"}"#).await), "hello_expected");
    socket.say_text(hello).await;
    socket.expect("welcome", |frame| matches!(frame, ServerFrame::Welcome(_))).await;
    assert_eq!(code(refused(&mut socket, hello).await), "hello_repeated");
    socket.ping().await;
    bystanders.unharmed().await;
}

#[tokio::test]
async fn b31_a_conversation_of_others_is_like_one_that_does_not_exist() {
    let server = TestServer::start(&[]).await;
    let bystanders = Bystanders::of(&server).await;
    let (ada, bob, eve) =
        (server.person("Ada").await, server.person("Bob").await, server.person("Eve").await);
    let theirs = ada.conversation_with(&bob).await;
    let mut socket = eve.connect(&[]).await;
    let client_id = uuid::Uuid::now_v7();
    for frame in [
        json!({ "type": "send", "kind": "message", "client_id": client_id, "body": "?" }),
        json!({ "type": "send", "kind": "pin", "client_id": client_id, "target": 1, "on": true }),
        json!({ "type": "read", "seq": 1 }),
        json!({ "type": "delivered", "seq": 1 }),
        json!({ "type": "typing" }),
    ] {
        let mut answers = Vec::new();
        for conversation in [theirs, ConversationId::fresh()] {
            let mut frame = frame.clone();
            frame["conversation"] = json!(conversation);
            let error = refused(&mut socket, &frame.to_string()).await;
            answers.push(Value::to_string(&serde_json::to_value(&error.error).unwrap()));
        }
        assert!(answers[0] == answers[1] && answers[0].contains("not_found"), "{frame}: {answers:?}");
    }
    bystanders.unharmed().await;
}
