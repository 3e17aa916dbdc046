use nix::sys::signal::Signal;
use tidings::domain::ConversationId;
use tidings::protocol::Conversation;
use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};

use super::{Watcher, found, try_to_find};
use crate::support::{Nemesis, Person, ServerProcess, TestServer, eventually, eventually_some};

const SHORT: [(&str, &str); 2] =
    [("TIDINGS_PRESENCE_GRACE_MS", "300"), ("TIDINGS_PRESENCE_INTERVAL_MS", "10")];

/// When somebody was last here, as the other one in a conversation is told.
async fn in_conversation(
    asker: &Person,
    conversation: ConversationId,
    person: &Person,
) -> Option<OffsetDateTime> {
    let path = format!("/api/conversations/{conversation}");
    let told: Conversation = asker.get(&path).await.expect("a conversation");
    let member = told.members.into_iter().find(|member| member.user == person.user);
    member.expect("a member").last_seen.map(|at| parse(&at))
}

fn parse(at: &str) -> OffsetDateTime {
    OffsetDateTime::parse(at, &Rfc3339).expect("RFC 3339")
}

#[tokio::test]
async fn who_leaves_was_last_seen_when_the_connection_went() {
    let server = TestServer::start(&SHORT).await;
    let (ada, bob) = (server.person("Ada").await, server.person("Bob").await);
    let conversation = ada.conversation_with(&bob).await;
    assert_eq!(found(&ada, &bob).await.last_seen, None, "never");
    let mut hers = Watcher::of(&ada).await;
    let his = bob.connect(&[]).await;
    hers.sees(&bob, Some(false)).await;
    let before = OffsetDateTime::now_utc();
    drop(his);
    hers.sees(&bob, None).await;
    let at = eventually_some("it is stored", async || found(&ada, &bob).await.last_seen).await;
    assert_eq!(in_conversation(&ada, conversation, &bob).await, Some(parse(&at)));
    let after = parse(&at) - before;
    // To the millisecond, and not at the end of the grace.
    assert!(after >= Duration::milliseconds(-1) && after < Duration::milliseconds(250), "{after}");
}

#[tokio::test]
async fn a_killed_server_forgets_no_more_than_an_interval() {
    let interval = ("TIDINGS_PRESENCE_SEEN_INTERVAL_MS", "100");
    let mut server = ServerProcess::start(&[interval]).await;
    let (ada, bob) = (server.person("Ada").await, server.person("Bob").await);
    let conversation = ada.conversation_with(&bob).await;
    let _his = bob.connect(&[]).await;
    let begun = OffsetDateTime::now_utc();
    eventually("it is stored that he is here, again and again", async || {
        let seen = in_conversation(&ada, conversation, &bob).await;
        seen.is_some_and(|at| at > begun + Duration::milliseconds(200))
    })
    .await;
    assert_eq!(found(&ada, &bob).await.last_seen, None, "he is here now");
    server.end(Signal::SIGKILL).await;
    server.start_again().await;
    let shown = found(&ada, &bob).await;
    assert!(!shown.online && shown.last_seen.as_deref().is_some_and(|at| parse(at) > begun), "{shown:?}");
}

#[tokio::test]
async fn a_server_that_stops_stores_who_was_here() {
    let server = TestServer::start(&[]).await;
    let (ada, bob) = (server.person("Ada").await, server.person("Bob").await);
    let mut hers = Watcher::of(&ada).await;
    let _his = bob.connect(&[]).await;
    hers.sees(&bob, Some(false)).await;
    let before = OffsetDateTime::now_utc();
    let server = TestServer::on(server.stop().await, &[]).await;
    let seen = found(&ada.at(&server.url), &bob).await.last_seen;
    assert!(seen.as_deref().is_some_and(|at| parse(at) >= before - Duration::milliseconds(1)), "{seen:?}");
}

#[tokio::test]
async fn who_leaves_while_nothing_can_be_stored_is_not_forgotten() {
    let server = TestServer::start(&SHORT).await;
    let (ada, bob) = (server.person("Ada").await, server.person("Bob").await);
    let mut hers = Watcher::of(&ada).await;
    let his = bob.connect(&[]).await;
    hers.sees(&bob, Some(false)).await;
    let mut nemesis = Nemesis::on(server.database.url()).await;
    nemesis.read_only(true).await;
    drop(his);
    hers.sees(&bob, None).await;
    let left = OffsetDateTime::now_utc();
    nemesis.read_only(false).await;
    // Connections that were cut are found out by those who ask for them.
    let stored = async || try_to_find(&ada, &bob).await?.last_seen;
    let at = eventually_some("it is stored later", stored).await;
    assert!(parse(&at) <= left, "as of then");
}
