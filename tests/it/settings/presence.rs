//! Who is told of whom, and when.

use std::time::{Duration, Instant};

use tidings::protocol::{ServerFrame, Watch};

use crate::support::{Person, Socket, TestServer};

async fn looking(person: &Person) -> (Socket, bool) {
    let mut socket = person.upgrade().await.unwrap();
    socket.hello(&[], Watch { list: true, users: Vec::new() }).await;
    let complete = match socket.expect("presence", |frame| matches!(frame, ServerFrame::Presence(_))).await {
        ServerFrame::Presence(presence) => presence.complete,
        other => unreachable!("{other:?}"),
    };
    (socket, complete)
}

fn joins(frame: &ServerFrame) -> usize {
    match frame {
        ServerFrame::PresenceDiff(diff) => diff.joins.len(),
        _ => 0,
    }
}

fn leaves(frame: &ServerFrame) -> usize {
    match frame {
        ServerFrame::PresenceDiff(diff) => diff.leaves.len(),
        _ => 0,
    }
}

#[tokio::test]
async fn who_goes_is_gone_after_the_grace() {
    let settings = [("TIDINGS_PRESENCE_GRACE_MS", "300"), ("TIDINGS_PRESENCE_INTERVAL_MS", "10")];
    let server = TestServer::start(&settings).await;
    let (ada, bob) = (server.person("Ada").await, server.person("Bob").await);
    let (mut hers, _) = looking(&ada).await;
    let his = bob.connect(&[]).await;
    let comes = |frame: &ServerFrame| matches!(frame, ServerFrame::PresenceDiff(diff) if diff.joins.contains(&bob.user));
    hers.expect("Bob comes", comes).await;
    let gone = Instant::now();
    drop(his);
    hers.expect("Bob goes", |frame| leaves(frame) == 1).await;
    let after = gone.elapsed();
    assert!(after > Duration::from_millis(290) && after < Duration::from_secs(8), "{after:?}");
}

#[tokio::test]
async fn changes_are_told_once_in_an_interval() {
    let server = TestServer::start(&[("TIDINGS_PRESENCE_INTERVAL_MS", "3000")]).await;
    let (ada, bob) = (server.person("Ada").await, server.person("Bob").await);
    let (mut hers, _) = looking(&ada).await;
    hers.expect("she herself", |frame| joins(frame) == 1).await;
    let begun = Instant::now();
    let _here = bob.connect(&[]).await;
    hers.expect("Bob", |frame| joins(frame) == 1).await;
    assert!(begun.elapsed() > Duration::from_secs(2), "the default is 1 s: {:?}", begun.elapsed());
}

#[tokio::test]
async fn in_a_crowd_only_the_count_is_told_now_and_then() {
    let server = TestServer::start(&[
        ("TIDINGS_PRESENCE_COMPLETE", "1"),
        ("TIDINGS_PRESENCE_INTERVAL_MS", "10"),
        ("TIDINGS_PRESENCE_COUNT_INTERVAL_MS", "100"),
    ])
    .await;
    let people = [server.person("Ada").await, server.person("Bob").await, server.person("Eve").await];
    let (mut hers, complete) = looking(&people[0]).await;
    assert!(complete, "alone");
    let _bob = people[1].connect(&[]).await;
    let is_partial =
        |frame: &ServerFrame| matches!(frame, ServerFrame::Presence(presence) if !presence.complete);
    hers.expect("too many", is_partial).await;
    let (begun, _eve) = (Instant::now(), people[2].connect(&[]).await);
    let counted = |frame: &ServerFrame| matches!(frame, ServerFrame::PresenceDiff(diff) if diff.count == 3);
    let count = hers.expect("the count", counted).await;
    assert_eq!(joins(&count), 0);
    assert!(begun.elapsed() < Duration::from_secs(8), "the default is 10 s");
}
