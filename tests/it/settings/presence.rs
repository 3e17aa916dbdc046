//! Who is told of whom, and when.

use std::time::{Duration, Instant};

use reqwest::Method;
use reqwest::header::{COOKIE, HeaderMap, ORIGIN};
use serde_json::json;
use tidings::protocol::{People, ServerFrame, Session, Watch};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;

use crate::browser::Browser;
use crate::support::{Person, Socket, TestServer, answer, eventually};

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

/// Who comes and goes between two differences is in neither.
async fn is_told_of(hers: &mut Socket, person: &Person) {
    let comes = |frame: &ServerFrame| matches!(frame, ServerFrame::PresenceDiff(diff) if diff.joins.contains(&person.user));
    hers.expect("somebody comes", comes).await;
}

#[tokio::test]
async fn who_goes_is_gone_after_the_grace() {
    let settings = [("TIDINGS_PRESENCE_GRACE_MS", "300"), ("TIDINGS_PRESENCE_INTERVAL_MS", "10")];
    let server = TestServer::start(&settings).await;
    let (ada, bob) = (server.person("Ada").await, server.person("Bob").await);
    let (mut hers, _) = looking(&ada).await;
    let his = bob.connect(&[]).await;
    is_told_of(&mut hers, &bob).await;
    let gone = Instant::now();
    drop(his);
    hers.expect("Bob goes", |frame| leaves(frame) == 1).await;
    let after = gone.elapsed();
    assert!(after > Duration::from_millis(290) && after < Duration::from_secs(8), "{after:?}");
}

/// Longer than any test waits.
const LONG_GRACE: [(&str, &str); 2] =
    [("TIDINGS_PRESENCE_GRACE_MS", "600000"), ("TIDINGS_PRESENCE_INTERVAL_MS", "10")];

async fn log_out(person: &Person) {
    let answer = person.request(Method::DELETE, "/api/session").send().await.unwrap();
    assert_eq!(answer.status(), 204);
}

#[tokio::test]
async fn who_logs_out_is_gone_at_once() {
    let server = TestServer::start(&LONG_GRACE).await;
    let (ada, bob) = (server.person("Ada").await, server.person("Bob").await);
    let (mut hers, _) = looking(&ada).await;
    let (mut first, mut second) = (bob.connect(&[]).await, bob.connect(&[]).await);
    is_told_of(&mut hers, &bob).await;
    log_out(&bob).await;
    assert_eq!((first.end().await.code, second.end().await.code), (4501, 4501));
    let goes = |frame: &ServerFrame| matches!(frame, ServerFrame::PresenceDiff(diff) if diff.leaves.contains(&bob.user.id));
    hers.expect("Bob goes", goes).await;
}

/// As a page does that is closed by its user.
#[tokio::test]
async fn who_logs_out_after_the_socket_closed_is_gone_at_once() {
    let server = TestServer::start(&LONG_GRACE).await;
    let (ada, bob) = (server.person("Ada").await, server.person("Bob").await);
    let (mut hers, _) = looking(&ada).await;
    let his = bob.connect(&[]).await;
    is_told_of(&mut hers, &bob).await;
    close(his).await;
    log_out(&bob).await;
    let goes = |frame: &ServerFrame| matches!(frame, ServerFrame::PresenceDiff(diff) if diff.leaves.contains(&bob.user.id));
    hers.expect("Bob goes", goes).await;
}

/// Whether or not anybody looks: the list does not wait for the next difference.
#[tokio::test]
async fn who_logs_out_is_on_no_list_from_then_on() {
    let settings = [("TIDINGS_PRESENCE_GRACE_MS", "600000"), ("TIDINGS_PRESENCE_INTERVAL_MS", "60000")];
    let server = TestServer::start(&settings).await;
    let (ada, bob) = (server.person("Ada").await, server.person("Bob").await);
    let mut his = bob.connect(&[]).await;
    let online = async || ada.get::<People>("/api/users?q=Bob").await.expect("a list").users[0].online;
    eventually("Bob is online", async || online().await).await;
    log_out(&bob).await;
    his.end().await;
    let gone = async { eventually("Bob is offline", async || !online().await).await };
    assert!(timeout(Duration::from_secs(10), gone).await.is_ok(), "he is still listed as online");
}

/// Closed by its user: at the answer the server has taken note.
async fn close(mut socket: Socket) {
    socket.try_say(Message::Close(None)).await.unwrap();
    socket.end().await;
}

/// Whether, by the time that Eve is told of, nobody has been seen leaving.
async fn nobody_has_left(server: &TestServer, hers: &mut Socket) -> bool {
    let eve = server.person("Eve").await;
    let _here = eve.connect(&[]).await;
    is_told_of(hers, &eve).await;
    hers.heard.iter().all(|frame| leaves(frame) == 0)
}

#[tokio::test]
async fn who_logs_out_of_one_session_stays_online_in_another() {
    let server = TestServer::start(&LONG_GRACE).await;
    let (ada, bob) = (server.person("Ada").await, server.person("Bob").await);
    let again = bob.request(Method::POST, "/api/session").json(&json!({ "name": "Bob", "bearer": true }));
    let session: Session = answer(again).await.unwrap();
    let mut elsewhere = bob.clone();
    elsewhere.token = session.token.unwrap();
    let (mut hers, _) = looking(&ada).await;
    let (mut closed, kept) = (bob.connect(&[]).await, elsewhere.connect(&[]).await);
    is_told_of(&mut hers, &bob).await;
    log_out(&bob).await;
    assert_eq!(closed.end().await.code, 4501);
    // This one goes without a log-out, and so with the grace.
    close(kept).await;
    assert!(nobody_has_left(&server, &mut hers).await, "{:?}", hers.heard);
}

#[tokio::test]
async fn who_logs_in_again_in_the_same_browser_is_never_gone() {
    let server = TestServer::start(&LONG_GRACE).await;
    let (ada, bob) = (server.person("Ada").await, server.person("Bob").await);
    let (mut hers, _) = looking(&ada).await;
    let mut tab = bob.connect(&[]).await;
    is_told_of(&mut hers, &bob).await;
    let cookie = HeaderMap::from_iter([
        (COOKIE, format!("tidings_session={}", bob.token).parse().unwrap()),
        (ORIGIN, server.url.parse().unwrap()),
    ]);
    assert_eq!(Browser::with_headers(&server.url, cookie).log_in("Bob").await.0, 200);
    assert_eq!(tab.end().await.code, 4501);
    assert!(nobody_has_left(&server, &mut hers).await, "{:?}", hers.heard);
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
