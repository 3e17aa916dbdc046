//! What is delivered in a group. Groups cannot be made yet: this one is put into the database.

use reqwest::Method;
use serde_json::json;
use sqlx::Executor;
use tidings::domain::ConversationId;
use tidings::protocol::{ClientFrame, Code, Position, ServerFrame, Typing};

use crate::support::{Person, TestServer};

async fn group(server: &TestServer, members: &[&Person]) -> ConversationId {
    let id = ConversationId::fresh();
    let mut database = server.database.connection().await;
    database.execute(sqlx::query("INSERT INTO conversations (id) VALUES ($1)").bind(id.0)).await.unwrap();
    for member in members {
        let join = sqlx::query("INSERT INTO members (conversation_id, user_id) VALUES ($1, $2)");
        database.execute(join.bind(id.0).bind(member.user.id.0)).await.unwrap();
    }
    id
}

#[tokio::test]
async fn everybody_in_a_group_sees_messages_typing_and_positions_and_nobody_else() {
    let server = TestServer::start(&[]).await;
    let [ada, bob, eve] =
        [server.person("Ada").await, server.person("Bob").await, server.person("Eve").await];
    let conversation = group(&server, &[&ada, &bob]).await;
    let (mut hers, mut his, mut other) =
        (ada.connect(&[]).await, bob.connect(&[]).await, eve.connect(&[]).await);
    // Nothing has been delivered here yet, so the members are not known.
    hers.say(&ClientFrame::Typing(Typing { conversation })).await;
    his.expect("typing", |frame| matches!(frame, ServerFrame::Typing(by) if by.user == ada.user.id)).await;
    let sent = hers.send(conversation, "one").await;
    hers.stored(sent).await;
    his.message("one").await;
    // A device that connects once they are known gets what follows, too.
    let mut phone = bob.connect(&[(conversation, 1)]).await;
    let sent = hers.send(conversation, "two").await;
    hers.stored(sent).await;
    phone.message("two").await;
    his.say(&ClientFrame::Read(Position { conversation, seq: 2 })).await;
    let read = |frame: &ServerFrame| matches!(frame, ServerFrame::Receipt(receipt) if receipt.user == bob.user.id && receipt.read == 2);
    hers.expect("his position", read).await;

    other.say(&ClientFrame::Typing(Typing { conversation })).await;
    let refused = |frame: &ServerFrame| matches!(frame, ServerFrame::Error(error) if error.error.code == Code::NotFound);
    other.expect("there is none for her", refused).await;
    let heard = |frame: &ServerFrame| {
        matches!(frame, ServerFrame::Event(_) | ServerFrame::Typing(_) | ServerFrame::Receipt(_))
    };
    assert!(!other.heard.iter().any(heard), "{:?}", other.heard);
    server.stop().await;
}

#[tokio::test]
async fn a_group_is_told_how_far_somebody_got_once_they_are_visible_again() {
    let server = TestServer::start(&[]).await;
    let (ada, bob) = (server.person("Ada").await, server.person("Bob").await);
    let conversation = group(&server, &[&ada, &bob]).await;
    let (mut hers, mut his) = (ada.connect(&[]).await, bob.connect(&[]).await);
    let sent = hers.send(conversation, "one").await;
    hers.stored(sent).await;
    his.message("one").await;
    let choose = async |invisible: bool| {
        let asked = bob.request(Method::PUT, "/api/session/visibility");
        let answer = asked.json(&json!({ "invisible": invisible })).send().await.unwrap();
        assert_eq!(answer.status(), 204);
    };
    choose(true).await;
    his.say(&ClientFrame::Read(Position { conversation, seq: 1 })).await;
    his.expect("his own position", |frame| matches!(frame, ServerFrame::Receipt(_))).await;
    choose(false).await;
    let read = |frame: &ServerFrame| matches!(frame, ServerFrame::Receipt(receipt) if receipt.user == bob.user.id && receipt.read == 1);
    hers.expect("his position", read).await;
    server.stop().await;
}
