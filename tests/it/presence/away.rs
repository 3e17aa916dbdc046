use tidings::protocol::{Activity, ClientFrame, ServerFrame};

use super::News::{Away, Back, Joins};
use super::{SETTINGS, Watcher, connect, crash, fault};
use crate::support::{Socket, TestServer};

async fn idle(socket: &mut Socket, idle: bool) {
    socket.say(&ClientFrame::Activity(Activity { idle })).await;
}

#[tokio::test]
async fn who_is_idle_everywhere_is_away_until_the_first_input() {
    let server = TestServer::start(&SETTINGS).await;
    let (ada, bob) = (server.person("Ada").await, server.person("Bob").await);
    let mut hers = Watcher::of(&ada).await;
    let (mut desk, mut phone) = (connect(&bob, false).await, connect(&bob, true).await);
    idle(&mut desk, true).await;
    hers.sees(&bob, Some(true)).await;
    let snapshot = Watcher::of(&server.person("Cid").await).await;
    assert_eq!(snapshot.known.get(&bob.user.id), Some(&true));
    idle(&mut phone, false).await;
    hers.sees(&bob, Some(false)).await;
    // The one in use goes.
    idle(&mut desk, true).await;
    drop(phone);
    hers.sees(&bob, Some(true)).await;
    assert_eq!(hers.news_of(&server, &bob).await, [Joins, Away, Back, Away]);
}

#[tokio::test]
async fn an_idle_page_that_is_reloaded_does_not_come_back() {
    let server = TestServer::start(&SETTINGS).await;
    let (ada, bob) = (server.person("Ada").await, server.person("Bob").await);
    let mut hers = Watcher::of(&ada).await;
    let mut page = connect(&bob, false).await;
    idle(&mut page, true).await;
    hers.sees(&bob, Some(true)).await;
    for _ in 0..5 {
        drop(page);
        // What has not said hello is no input, however long it takes.
        let silent = bob.upgrade().await.unwrap();
        page = connect(&bob, true).await;
        drop(silent);
    }
    assert_eq!(hers.news_of(&server, &bob).await, [Joins, Away]);
}

#[tokio::test]
async fn a_client_that_says_nothing_of_it_counts_as_in_use() {
    let server = TestServer::start(&SETTINGS).await;
    let (ada, bob) = (server.person("Ada").await, server.person("Bob").await);
    let mut hers = Watcher::of(&ada).await;
    let mut old = bob.upgrade().await.unwrap();
    old.say_text(r#"{"type":"hello","cursors":[]}"#).await;
    old.expect("synced", |frame| matches!(frame, ServerFrame::Synced(_))).await;
    let mut new = connect(&bob, true).await;
    idle(&mut new, true).await;
    hers.sees(&bob, Some(false)).await;
    assert_eq!(hers.news_of(&server, &bob).await, [Joins]);
    // And is told nothing that it has not always been told, while nobody is away.
    let (shown, known) = (hers.socket.heard.iter(), ["version", "count", "joins", "leaves", "type"]);
    for diff in shown.filter(|frame| matches!(frame, ServerFrame::PresenceDiff(_))) {
        let fields = serde_json::to_value(diff).unwrap();
        assert!(fields.as_object().unwrap().keys().all(|field| known.contains(&field.as_str())), "{fields}");
    }
}

#[tokio::test]
async fn away_outlives_every_actor() {
    let server = TestServer::start(&SETTINGS).await;
    let (ada, bob) = (server.person("Ada").await, server.person("Bob").await);
    let mut hers = Watcher::of(&ada).await;
    let mut his = connect(&bob, true).await;
    hers.sees(&bob, Some(true)).await;
    for station in ["user", "presence", "users", "user"] {
        crash(&mut his, station).await;
    }
    assert!(hers.news_of(&server, &bob).await.iter().all(|news| matches!(news, Joins | Away)));
    let snapshot = Watcher::of(&server.person("Cid").await).await;
    assert_eq!(snapshot.known.get(&bob.user.id), Some(&true));
    // What is said while presence dies is said to the next one again.
    for away in [false, true, false] {
        let activity = serde_json::to_string(&ClientFrame::Activity(Activity { idle: away })).unwrap();
        his.say_together([fault("presence"), activity]).await;
        hers.sees(&bob, Some(away)).await;
    }
}
