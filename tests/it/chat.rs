//! Two people and a message.

use std::time::Duration;

use sqlx::{Connection, Executor};
use tidings::domain::ConversationId;
use tidings::protocol::{ClientFrame, Code, Ping, ServerFrame, Typing};

use crate::support::{TestServer, eventually};

#[tokio::test]
async fn a_message_is_stored_and_arrives() {
    let server = TestServer::start(&[]).await;
    let (ada, bob) = (server.person("Ada").await, server.person("Bob").await);
    let conversation = ada.conversation_with(&bob).await;
    let (mut hers, mut his) = (ada.connect(&[]).await, bob.connect(&[]).await);
    let client_id = hers.send(conversation, "Are you there?").await;
    let stored = hers.stored(client_id).await;
    assert_eq!((stored.seq, stored.duplicate), (1, false));
    let message = his.message("Are you there?").await;
    assert_eq!((message.seq, message.client_id, message.sender), (1, client_id, ada.user.id));
    assert_eq!(bob.history(conversation).await, [message]);
    server.stop().await;
}

#[tokio::test]
async fn typing_everywhere_looks_up_one_conversation_at_a_time() {
    let refused = |frame: &ServerFrame| matches!(frame, ServerFrame::Error(error) if error.error.code == Code::NotFound);
    let server = TestServer::start(&[]).await;
    let mut socket = server.person("Ada").await.connect(&[]).await;
    // The first look-up cannot end before every frame has been handled.
    let (mut holder, mut observer) = (server.database.connection().await, server.database.connection().await);
    let mut lock = holder.begin().await.unwrap();
    lock.execute("LOCK TABLE members").await.unwrap();
    for _ in 0..50 {
        socket.say(&ClientFrame::Typing(Typing { conversation: ConversationId::fresh() })).await;
    }
    socket.say(&ClientFrame::Ping(Ping {})).await;
    socket.expect("pong", |frame| matches!(frame, ServerFrame::Pong(_))).await;
    let waiting = "SELECT count(*) FROM pg_stat_activity \
        WHERE datname = current_database() AND wait_event_type = 'Lock'";
    eventually("one look-up waits", async || {
        sqlx::query_scalar::<_, i64>(waiting).fetch_one(&mut observer).await.unwrap() == 1
    })
    .await;
    lock.rollback().await.unwrap();
    socket.expect("its answer", refused).await;
    socket.say(&ClientFrame::Ping(Ping {})).await;
    socket.expect("pong", |frame| matches!(frame, ServerFrame::Pong(_))).await;
    assert_eq!(socket.heard.iter().filter(|frame| refused(frame)).count(), 1);
}

#[tokio::test]
async fn typing_that_waited_for_the_database_is_dropped() {
    let is_typing = |frame: &ServerFrame| matches!(frame, ServerFrame::Typing(_));
    let server = TestServer::start(&[]).await;
    let (ada, bob) = (server.person("Ada").await, server.person("Bob").await);
    let conversation = ada.conversation_with(&bob).await;
    let (mut hers, mut his) = (ada.connect(&[]).await, bob.connect(&[]).await);
    let mut holder = server.database.connection().await;
    let mut lock = holder.begin().await.unwrap();
    lock.execute("LOCK TABLE members").await.unwrap();
    hers.say(&ClientFrame::Typing(Typing { conversation })).await;
    // Longer than typing may take.
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    lock.rollback().await.unwrap();
    assert!(his.expect_none_within(Duration::from_secs(1), is_typing).await, "it is too late");
    // What is typed after a message is passed on at once.
    let sent = hers.send(conversation, "typed").await;
    hers.stored(sent).await;
    hers.say(&ClientFrame::Typing(Typing { conversation })).await;
    his.expect("typing", is_typing).await;
}
