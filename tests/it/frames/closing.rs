//! How connections end: by a close frame, by the end of the stream, by a reset.

use serde_json::json;
use tidings::domain::{ClientId, ConversationId};
use tidings::protocol::People;
use uuid::Uuid;

use super::{Talk, greeted};
use crate::support::{BINARY, CLOSE, Person, RawSocket, TEXT, TestServer, eventually, masked};

#[tokio::test]
async fn b05_a_close_frame_is_answered_in_kind() {
    let server = TestServer::start(&[]).await;
    let (ada, talk) = (server.person("Ada").await, Talk::begin(&server.url).await);
    let allowed = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 3000, 3999, 4000, 4999];
    let with_code = allowed.map(|code: u16| [&code.to_be_bytes()[..], b"so long"].concat());
    for payload in with_code.into_iter().chain([Vec::new(), [&[0x03, 0xe8], &[b'.'; 123][..]].concat()]) {
        let mut socket = greeted(&ada).await;
        socket.say(CLOSE, &payload).await;
        assert_eq!(socket.control().await, Some((CLOSE, payload)));
        assert!(socket.ends_in_order().await);
    }
    talk.end().await;
}

#[tokio::test]
async fn b05_a_close_frame_that_says_what_none_may_is_closed_with_1002() {
    let server = TestServer::start(&[]).await;
    let (ada, talk) = (server.person("Ada").await, Talk::begin(&server.url).await);
    let forbidden = [0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535];
    let with_code = forbidden.map(|code: u16| code.to_be_bytes().to_vec());
    for payload in with_code.into_iter().chain([vec![0x03]]) {
        let mut socket = RawSocket::open(&ada).await;
        socket.say(CLOSE, &payload).await;
        assert_eq!(socket.close_code().await, 1002, "{payload:?}");
        assert!(socket.ends_in_order().await);
    }
    talk.end().await;
}

#[tokio::test]
async fn f14_whatever_was_cut_has_not_been_said() {
    let server = TestServer::start(&[("TIDINGS_PRESENCE_GRACE_MS", "0")]).await;
    let (ada, eve) = (server.person("Ada").await, server.person("Grace").await);
    let conversation = ada.conversation_with(&eve).await;
    let talk = Talk::begin(&server.url).await;
    let send = masked(TEXT, &message(conversation));
    // In the head, after it, and one byte before the end.
    for length in (1..=9).chain([send.len() / 2, send.len() - 1]) {
        for is_reset in [true, false] {
            let mut socket = greeted(&ada).await;
            eventually("Ada is here", async || is_online(&eve, &ada).await).await;
            socket.write(&send[..length]).await;
            if is_reset {
                socket.reset();
            } else {
                drop(socket);
            }
            eventually("Ada has gone", async || !is_online(&eve, &ada).await).await;
        }
    }
    assert_eq!(ada.history(conversation).await, []);
    talk.end().await;
}

/// All of it arrives at once.
#[tokio::test]
async fn f14_what_was_said_before_the_end_has_been_said() {
    let server = TestServer::start(&[]).await;
    let (ada, eve) = (server.person("Ada").await, server.person("Grace").await);
    let conversation = ada.conversation_with(&eve).await;
    let breach = masked(BINARY, b"what is this?");
    for (end, stored) in [(masked(CLOSE, &1000u16.to_be_bytes()), 2), (breach, 4), (Vec::new(), 6)] {
        let mut socket = greeted(&ada).await;
        let said = [0, 1].map(|_| masked(TEXT, &message(conversation))).concat();
        socket.write(&[said, end].concat()).await;
        drop(socket);
        eventually("both are stored", async || ada.history(conversation).await.len() == stored).await;
    }
}

fn message(conversation: ConversationId) -> Vec<u8> {
    let client_id = ClientId(Uuid::now_v7());
    let frame = json!({ "type": "send", "client_id": client_id, "conversation": conversation, "kind": "message", "body": "half" });
    frame.to_string().into_bytes()
}

async fn is_online(asking: &Person, other: &Person) -> bool {
    let people: People = asking.get("/api/users?q=ada").await.expect("a page");
    people.users.iter().any(|person| person.user.id == other.user.id && person.online)
}
