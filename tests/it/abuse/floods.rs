//! Frames of every kind, as fast as they are taken.

use std::time::Duration;

use serde_json::{Value, json};
use tidings::domain::ConversationId;
use uuid::Uuid;

use super::{Attacked, flood, written};
use crate::support::{Flooded, Person};

const TIME: Duration = Duration::from_secs(5);

/// Sockets that one user may have.
const SOCKETS: usize = 10;

/// Frames in a block: large enough that the flood is the server's to stop.
const BLOCK: u64 = 64;

/// Floods the server with what the blocks of each socket hold, for as long as the
/// attack lasts.
async fn floods(
    abusers: &[Person],
    sockets: usize,
    blocks: impl Fn(usize) -> Box<dyn FnMut() -> Vec<u8> + Send>,
) -> Vec<Flooded> {
    let sockets = (0..sockets).flat_map(|number| abusers.iter().map(move |abuser| (number, abuser)));
    let begun = sockets.enumerate().map(|(number, (_, abuser))| flood(abuser, TIME, blocks(number)));
    let flooding = futures::future::join_all(begun).await;
    let ended = futures::future::join_all(flooding).await;
    ended.into_iter().map(|flooded| flooded.expect("it floods")).collect()
}

fn invented(number: u64) -> ConversationId {
    ConversationId(Uuid::from_u128(number.into()))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c01_of_watches_without_end_the_newest_waits_and_nobody_else() {
    let mut attacked = Attacked::start().await;
    let mut abusers = Vec::new();
    for number in 0..4 {
        abusers.push(attacked.person(&format!("Abuser {number}")).await);
    }
    let watch = || {
        let users: Vec<Uuid> = (0..200).map(|_| Uuid::now_v7()).collect();
        json!({ "type": "watch", "list": true, "users": users })
    };
    let blocks = |_| -> Box<dyn FnMut() -> Vec<u8> + Send> {
        let block = written((0..BLOCK).map(|_| watch()));
        Box::new(move || block.clone())
    };
    let ended = attacked.during("c01", floods(&abusers, SOCKETS, blocks)).await;
    slowed("c01", &ended);
}

/// Half of the sockets stay where they are, the others say that they have got
/// further and further.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c02_positions_in_ones_own_conversations_delay_nobody() {
    let mut attacked = Attacked::start().await;
    let abuser = attacked.person("Abuser").await;
    let mut conversations = Vec::new();
    for number in 0..40 {
        let other = attacked.person(&format!("Other {number}")).await;
        conversations.push(abuser.conversation_with(&other).await);
    }
    let blocks = |socket: usize| -> Box<dyn FnMut() -> Vec<u8> + Send> {
        let (conversations, mut seq) = (conversations.clone(), 0);
        let kind = if socket % 4 < 2 { "read" } else { "delivered" };
        Box::new(move || {
            let position = |conversation| json!({ "type": kind, "conversation": conversation, "seq": seq });
            let block = written(conversations.iter().map(position));
            seq += u64::from(socket % 2 == 1);
            block
        })
    };
    let ended = attacked.during("c02", floods(&[abuser], SOCKETS, blocks)).await;
    slowed("c02", &ended);
}

/// The smallest ids first: who serves by id serves nobody else.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c03_positions_in_conversations_of_others_and_of_nobody_delay_nobody() {
    let mut attacked = Attacked::start().await;
    let abusers = [attacked.person("Abuser").await, attacked.person("Another").await];
    let of_others = attacked.conversation_of_others();
    let blocks = |socket: usize| -> Box<dyn FnMut() -> Vec<u8> + Send> {
        let mut number = 1_000_000_000 * socket as u64;
        Box::new(move || {
            let conversations = std::iter::once(of_others).chain((number..number + BLOCK).map(invented));
            number += BLOCK;
            let position =
                |conversation| json!({ "type": "read", "conversation": conversation, "seq": number });
            written(conversations.map(position))
        })
    };
    let ended = attacked.during("c03", floods(&abusers, SOCKETS, blocks)).await;
    slowed("c03", &ended);
}

/// Every kind of frame, each on two sockets of one of five people.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c05_frames_of_every_kind_are_slowed() {
    let mut attacked = Attacked::start().await;
    let (conversation, mut abusers) = (attacked.conversation_of_others(), Vec::new());
    for number in 0..5 {
        abusers.push(attacked.person(&format!("Abuser {number}")).await);
    }
    let kinds = kinds(conversation);
    let blocks = |socket: usize| -> Box<dyn FnMut() -> Vec<u8> + Send> {
        let block = written(kinds[socket % kinds.len()].iter().cycle().take(BLOCK as usize));
        Box::new(move || block.clone())
    };
    let ended = attacked.during("c05", floods(&abusers, SOCKETS, blocks)).await;
    slowed("c05", &ended);
}

/// What a client may say, and what it may not: one block each.
fn kinds(of_others: ConversationId) -> Vec<Vec<Value>> {
    let id = Uuid::now_v7();
    let send = |client_id: Uuid, body: &str| json!({ "type": "send", "client_id": client_id, "conversation": of_others, "kind": "message", "body": body });
    let pin = |client_id: Uuid, on: bool| json!({ "type": "send", "client_id": client_id, "conversation": of_others, "kind": "pin", "target": 1, "on": on });
    vec![
        vec![json!({ "type": "activity", "idle": true }), json!({ "type": "activity", "idle": false })],
        vec![json!({ "type": "typing", "conversation": of_others })],
        (0..40).map(|_| json!({ "type": "typing", "conversation": ConversationId::fresh() })).collect(),
        vec![json!({ "type": "ping" })],
        vec![json!({ "type": "watch", "list": true, "users": [] })],
        vec![json!({ "type": "sync", "cursors": [] })],
        vec![json!({ "type": "hello", "cursors": [] })],
        vec![json!({ "type": "unknown", "with": "x".repeat(4_000) })],
        vec![json!({ "type": "read", "conversation": "none", "seq": -1 })],
        vec![json!("no object")],
        vec![send(id, "again and again")],
        (0..40).map(|_| send(Uuid::now_v7(), "buy")).collect(),
        vec![send(id, "")],
        (0..40).map(|number| pin(Uuid::now_v7(), number % 2 == 0)).collect(),
        vec![json!({ "type": "delivered", "conversation": of_others, "seq": 1 })],
    ]
}

/// Nothing was taken faster than the server lets one: what may be sent at once,
/// what may be sent in the time, and what the kernel keeps of it.
fn slowed(id: &str, ended: &[Flooded]) {
    const SECOND: usize = 128 << 10;
    const BURST: usize = 512 << 10;
    // A receive buffer, which Linux makes twice as large as it is asked to, and some at the sender.
    const KERNEL: usize = 512 << 10;
    let most = ended.iter().map(|flooded| flooded.bytes).max().unwrap_or_default();
    let seconds = usize::try_from(TIME.as_secs()).expect("few") + 1;
    eprintln!("{id}: at most {} KiB taken of a socket", most / 1024);
    assert!(most <= BURST + seconds * SECOND + KERNEL, "{id}: {most} bytes");
    // It takes longer than this until they are closed for it, and nothing else is wrong.
    assert!(ended.iter().all(|flooded| flooded.closed.is_none_or(|code| code == 4504)), "{id}: {ended:?}");
}
