//! Replays: many, large, and read by nobody.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tidings::domain::ConversationId;
use tidings::protocol::{Cursor, ServerFrame};

use super::filled::fill;
use super::{Attacked, flood, written};
use crate::support::{Person, RawSocket, TEXT, TestServer};

const TIME: Duration = Duration::from_secs(5);
/// Sockets that one user may have.
const SOCKETS: usize = 10;
/// After which the same is asked for again: longer than a replay that is not read takes to stop.
const PAUSE: Duration = Duration::from_millis(700);
/// Messages that a replay brings at the most.
const MESSAGES: usize = 300;

/// A `hello` on a machine that does other things may take this long without any
/// attack: what is asserted is that it takes no more than twice as long, or twice
/// this.
const BUSY_MACHINE: Duration = Duration::from_millis(100);

fn from_the_beginning(conversations: &[ConversationId]) -> Value {
    let cursors = conversations.iter().map(|conversation| Cursor::new(*conversation, 0));
    json!(cursors.collect::<Vec<_>>())
}

/// How long it takes somebody who comes, in the middle of a few.
async fn median_hello(person: &Person, conversation: ConversationId) -> Duration {
    let mut taken = Vec::new();
    for _ in 0..9 {
        let mut socket = person.upgrade().await.expect("an upgrade");
        let begun = Instant::now();
        socket.hello(&[(conversation, 1)], Default::default()).await;
        socket.expect("synced", |frame| matches!(frame, ServerFrame::Synced(_))).await;
        taken.push(begun.elapsed());
    }
    taken.sort_unstable();
    taken[taken.len() / 2]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c04_replays_over_and_over_slow_nobodys_hello() {
    let mut attacked = Attacked::start().await;
    let visitor = attacked.person("Visitor").await;
    let theirs = fill(&attacked.server, visitor.user.id, 1, 2).await[0];
    let mut attacks = Vec::new();
    for number in 0..4 {
        let abuser = attacked.person(&format!("Abuser {number}")).await;
        let conversations = fill(&attacked.server, abuser.user.id, 500, 1).await;
        let sync = json!({ "type": "sync", "cursors": from_the_beginning(&conversations) });
        attacks.push((abuser, written([sync])));
    }
    let before = median_hello(&visitor, theirs).await;
    let attack = async {
        let mut flooding = Vec::new();
        for (abuser, block) in &attacks {
            for _ in 0..SOCKETS {
                let block = block.clone();
                flooding.push(flood(abuser, TIME, move || block.clone()).await);
            }
        }
        // What was allowed at once is over.
        tokio::time::sleep(TIME / 4).await;
        let during = median_hello(&visitor, theirs).await;
        for flooded in flooding {
            flooded.await.expect("it floods");
        }
        during
    };
    let during = attacked.during("c04", attack).await;
    eprintln!("c04: hello took {before:?} before and {during:?} under attack");
    assert!(during <= 2 * before.max(BUSY_MACHINE), "{before:?}, {during:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c06_replays_that_nobody_reads_cost_a_page_each() {
    let mut attacked = Attacked::start().await;
    let mut abusers = Vec::new();
    for number in 0..10 {
        let abuser = attacked.person(&format!("Abuser {number}")).await;
        let conversations = fill(&attacked.server, abuser.user.id, 1, MESSAGES).await;
        abusers.push((abuser, from_the_beginning(&conversations)));
    }
    let visitor = attacked.person("Visitor").await;
    let theirs = fill(&attacked.server, visitor.user.id, 1, MESSAGES).await[0];
    let attack = async {
        let mut stalled = Vec::new();
        for (abuser, cursors) in &abusers {
            for _ in 0..SOCKETS {
                let mut socket = RawSocket::open_narrow(abuser).await;
                let hello = json!({ "type": "hello", "cursors": cursors });
                socket.say(TEXT, hello.to_string().as_bytes()).await;
                stalled.push((socket, cursors));
            }
        }
        // Again and again.
        for _ in 0..3 {
            tokio::time::sleep(PAUSE).await;
            for (socket, cursors) in &mut stalled {
                let sync = json!({ "type": "sync", "cursors": cursors });
                socket.say(TEXT, sync.to_string().as_bytes()).await;
            }
        }
        // Somebody else gets all of theirs, in order.
        let socket = visitor.connect(&[(theirs, 0)]).await;
        let replayed = socket.heard.iter().filter_map(|frame| match frame {
            ServerFrame::Event(event) => Some(event.seq),
            _ => None,
        });
        replayed.collect::<Vec<_>>()
    };
    let replayed = attacked.during("c06", attack).await;
    assert!(replayed.into_iter().eq(1..=MESSAGES as u64));
}

/// As many readers who take nothing as there is room for.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c06_replays_that_stall_give_way_to_others_once_memory_is_used_up() {
    let server = TestServer::start(&[
        // Eight of them, and little that the kernel takes for a reader who does not.
        ("TIDINGS_REPLAY_BYTES", "1048576"),
        ("TIDINGS_OUTBOUND_BYTES", "131072"),
    ])
    .await;
    let (ada, bob) = (server.person("Ada").await, server.person("Bob").await);
    let conversation = ada.conversation_with(&bob).await;
    let mut hers = ada.connect(&[]).await;
    let body = "漢".repeat(4_000);
    for _ in 0..60 {
        let client_id = hers.send(conversation, &body).await;
        hers.stored(client_id).await;
    }
    let hello = json!({ "type": "hello", "cursors": from_the_beginning(&[conversation]) });
    let mut stalled = Vec::new();
    for _ in 0..9 {
        let mut socket = RawSocket::open_narrow(&bob).await;
        socket.say(TEXT, hello.to_string().as_bytes()).await;
        stalled.push(socket);
    }
    // More than the narrow lines hold, and it is all theirs at first.
    let socket = ada.connect(&[(conversation, 0)]).await;
    let replayed = socket.heard.iter().filter(|frame| matches!(frame, ServerFrame::Event(_))).count();
    assert_eq!(replayed, 60);
    drop(hers);
}
