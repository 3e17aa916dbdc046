//! What breaks, and what its users see of it: nothing. Ids are those of FAULTS.

use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use sqlx::{Connection, PgConnection};
use tidings::domain::ConversationId;
use tidings::protocol::{ServerFrame, Sync, Watch};

use crate::support::{Participant, Person, ServerProcess, Socket, TestDatabase, TestServer, check_law};
use crate::support::{eventually, eventually_all, eventually_some};

const FAULTS: (&str, &str) = ("TIDINGS_FAULTS", "on");

async fn ping(socket: &mut Socket) {
    socket.say_text(r#"{"type":"ping"}"#).await;
    socket.expect("pong", |frame| matches!(frame, ServerFrame::Pong(_))).await;
}

fn is_resync(frame: &ServerFrame) -> bool {
    matches!(frame, ServerFrame::Resync(_))
}

#[tokio::test]
async fn f01_a_user_actor_panics_on_a_frame() {
    let server = TestServer::start(&[FAULTS, ("TIDINGS_CRASHES", "100")]).await;
    let (ada, bob) = (server.person("Ada").await, server.person("Bob").await);
    let conversation = ada.conversation_with(&bob).await;
    let (mut hers, mut his) = (ada.connect(&[]).await, bob.connect(&[]).await);
    // From the fatal frame to the reply to the next one, on the same socket.
    let mut took = Vec::new();
    for _ in 0..10 {
        let begun = Instant::now();
        hers.say_text(r#"{"fault":"user"}"#).await;
        ping(&mut hers).await;
        took.push(begun.elapsed());
    }
    took.sort();
    assert!(took[took.len() / 2] < Duration::from_millis(100), "{took:?}");
    assert_eq!(hers.heard.iter().filter(|frame| is_resync(frame)).count(), 10);
    // All at once: those behind the fatal frame are handled by the next actor.
    let mut sent = Vec::new();
    for number in 0..30 {
        if number % 10 == 5 {
            hers.say_text(r#"{"fault":"user"}"#).await;
        }
        sent.push(hers.send(conversation, &number.to_string()).await);
    }
    his.message("29").await;
    let log = bob.history(conversation).await;
    assert!(log.iter().map(|message| message.client_id).eq(sent), "{log:?}");
    assert!(log.iter().zip(1..).all(|(message, seq)| message.seq == seq));
}

#[tokio::test]
async fn f02_a_frame_that_fails_three_times_closes_its_connection() {
    let database = TestDatabase::create().await;
    let server = ServerProcess::start(&[FAULTS, ("DATABASE_URL", database.url())]).await;
    let (ada, bob) = (server.person("Ada").await, server.person("Bob").await);
    let (mut hers, mut other, mut his) =
        (ada.connect(&[]).await, ada.connect(&[]).await, bob.connect(&[]).await);
    for _ in 0..2 {
        hers.say_text(r#"{"fault":"user","note":"a secret"}"#).await;
        ping(&mut hers).await;
    }
    hers.say_text(r#"{"fault":"user","note":"a secret"}"#).await;
    let end = hers.end().await;
    assert_eq!((end.code, end.reason.is_empty()), (4500, false));
    // Her other tab goes on, after three resynchronisations; others know nothing of it.
    for _ in 0..3 {
        other.expect("resync", is_resync).await;
    }
    ping(&mut other).await;
    ping(&mut his).await;
    assert!(!his.heard.iter().any(is_resync));
    eventually("it is logged", async || server.log().matches("frame_hash").count() == 3).await;
    assert!(!server.log().contains("a secret"), "{}", server.log());
}

/// Looks at the list of people; ends when these are on it.
async fn watching(person: &Person, online: usize) -> Socket {
    let mut socket = person.upgrade().await.expect("an upgrade");
    socket.hello(&[], Watch { list: true, users: Vec::new() }).await;
    socket.expect("everyone", |frame| count(frame) == Some(online)).await;
    socket
}

fn count(frame: &ServerFrame) -> Option<usize> {
    match frame {
        ServerFrame::Presence(presence) => Some(presence.count as usize),
        ServerFrame::PresenceDiff(diff) => Some(diff.count as usize),
        _ => None,
    }
}

/// Whether the frame shows one of two people missing.
fn somebody_leaves(frame: &ServerFrame) -> bool {
    match frame {
        ServerFrame::Presence(presence) => presence.online.len() < 2,
        ServerFrame::PresenceDiff(diff) => !diff.leaves.is_empty(),
        _ => false,
    }
}

#[tokio::test]
async fn f03_presence_panics_and_nobody_is_seen_leaving() {
    let server = TestServer::start(&[FAULTS, ("TIDINGS_PRESENCE_INTERVAL_MS", "50")]).await;
    let (ada, bob) = (server.person("Ada").await, server.person("Bob").await);
    let conversation = ada.conversation_with(&bob).await;
    let mut hers = ada.connect(&[]).await;
    let mut his = watching(&bob, 2).await;
    for round in 0..3 {
        let (begun, body) = (Instant::now(), format!("round {round}"));
        hers.say_text(r#"{"fault":"presence"}"#).await;
        let client_id = hers.send(conversation, &body).await;
        hers.stored(client_id).await;
        if !his.heard.iter().any(|frame| matches!(frame, ServerFrame::Message(m) if m.body == body)) {
            his.message(&body).await;
        }
        // The rebuilt one answers; it may still be counting at first.
        let mut rebuilt = false;
        while !rebuilt {
            his.say_text(r#"{"type":"watch","list":true}"#).await;
            let answer = his.expect("presence", |frame| matches!(frame, ServerFrame::Presence(_))).await;
            rebuilt = count(&answer) == Some(2);
        }
        assert!(begun.elapsed() < Duration::from_secs(1), "rebuilt after {:?}", begun.elapsed());
    }
    // Whoever comes now is seen: it works.
    let eve = server.person("Eve").await;
    let _here = eve.connect(&[]).await;
    his.expect("Eve", |frame| count(frame) == Some(3)).await;
    let settled = his.heard.iter().position(|frame| count(frame) == Some(2)).unwrap();
    let left: Vec<_> = his.heard[settled..].iter().filter(|frame| somebody_leaves(frame)).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[tokio::test]
async fn f03_the_supervisor_of_the_users_panics_and_all_sockets_stay() {
    let server = TestServer::start(&[FAULTS]).await;
    let (ada, bob) = (server.person("Ada").await, server.person("Bob").await);
    let conversation = ada.conversation_with(&bob).await;
    let (mut hers, mut his) = (ada.connect(&[]).await, watching(&bob, 2).await);
    hers.say_text(r#"{"fault":"users"}"#).await;
    for socket in [&mut hers, &mut his] {
        socket.expect("resync", is_resync).await;
        let sync = Sync { cursors: Vec::new() };
        socket.say(&tidings::protocol::ClientFrame::Sync(sync)).await;
        socket.expect("synced", |frame| matches!(frame, ServerFrame::Synced(_))).await;
    }
    let client_id = hers.send(conversation, "Still there?").await;
    hers.stored(client_id).await;
    his.message("Still there?").await;
    let settled = his.heard.iter().position(|frame| count(frame) == Some(2)).unwrap();
    assert!(!his.heard[settled..].iter().any(somebody_leaves));
}

/// A ring of people, each of whom writes to the next.
async fn ring(url: &str, size: usize, messages: u64) -> Vec<Participant> {
    let names = (0..size).map(|number| format!("Person {number}"));
    let people: Vec<Person> =
        futures::future::join_all(names.map(async |name| Person::log_in(url, &name).await)).await;
    let mut conversations: Vec<ConversationId> = Vec::new();
    for (one, next) in people.iter().zip(people.iter().cycle().skip(1)) {
        conversations.push(one.conversation_with(next).await);
    }
    let participants = people.into_iter().enumerate().map(|(index, person)| {
        let (to_next, to_previous) = (conversations[index], conversations[(index + size - 1) % size]);
        let mut participant = Participant::new(person, &[(to_next, messages), (to_previous, messages)]);
        for number in 0..messages {
            participant.write(to_next, format!("message {number}"));
        }
        participant
    });
    participants.collect()
}

#[tokio::test]
async fn f04_persistence_panics_in_mid_batch_and_nothing_is_lost_or_doubled() {
    let server = TestServer::start(&[FAULTS]).await;
    let participants = ring(&server.url, 10, 200).await;
    let breaker = server.person("Breaker").await;
    let mut socket = breaker.connect(&[]).await;
    let mut database = server.database.connection().await;
    let crashing = async {
        // Spread over the run, by what has been stored.
        for round in 1..=6 {
            eventually("a part is stored", async || stored(&mut database).await >= round * 250).await;
            socket.say_text(r#"{"fault":"persistence"}"#).await;
        }
    };
    let (participants, ()) = futures::join!(eventually_all(participants), crashing);
    check_law(&mut database, &participants).await;
    assert!(participants.iter().all(|participant| participant.connected == 1), "a socket was closed");
}

async fn stored(database: &mut PgConnection) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM events").fetch_one(database).await.expect("a count")
}

#[tokio::test]
async fn f05_the_server_is_killed_while_fifty_clients_send() {
    let mut server = ServerProcess::start(&[]).await;
    // Enough that everybody still has something to send at the second kill.
    let participants = ring(&server.url, 50, 120).await;
    let url = server.database_url();
    let running = tokio::spawn(eventually_all(participants));
    for least in [200, 1_000] {
        let mut database = PgConnection::connect(&url).await.unwrap();
        // Not always at the same point.
        let moment = least + i64::from(getrandom::u32().unwrap() % 400);
        eventually("a part is stored", async || stored(&mut database).await >= moment).await;
        server.end(Signal::SIGKILL).await;
        server.start_again().await;
    }
    let participants = running.await.unwrap();
    check_law(&mut PgConnection::connect(&url).await.unwrap(), &participants).await;
    assert!(participants.iter().any(|participant| participant.connected == 3), "nobody was cut twice");
    assert!(server.end(Signal::SIGTERM).await.success(), "{}", server.log());
}

#[tokio::test]
async fn f06_sigterm_under_load_commits_says_farewell_and_exits_zero() {
    let mut server = ServerProcess::start(&[]).await;
    let mut onlooker = server.person("Onlooker").await.connect(&[]).await;
    let participants = ring(&server.url, 20, 100).await;
    let url = server.database_url();
    let running = tokio::spawn(eventually_all(participants));
    let mut database = PgConnection::connect(&url).await.unwrap();
    eventually("a part is stored", async || stored(&mut database).await >= 500).await;
    let stopping = Instant::now();
    let (ended, farewell) = futures::join!(server.end(Signal::SIGTERM), onlooker.end());
    assert!(ended.success(), "{}", server.log());
    // The default of TIDINGS_SHUTDOWN_TIMEOUT_MS.
    assert!(stopping.elapsed() < Duration::from_secs(30), "{:?}", stopping.elapsed());
    assert_eq!(farewell.code, 1012, "{}", farewell.reason);
    server.start_again().await;
    let participants = running.await.unwrap();
    check_law(&mut PgConnection::connect(&url).await.unwrap(), &participants).await;
}

#[tokio::test]
async fn f07_postgres_is_killed_and_the_sockets_stay() {
    let mut server = ServerProcess::start(&[]).await;
    let participants = ring(&server.url, 10, 200).await;
    let url = server.database_url();
    let running = tokio::spawn(eventually_all(participants));
    for least in [300, 1_000] {
        // Each time its connection dies with PostgreSQL.
        let mut database = connected(&url).await;
        eventually("a part is stored", async || stored(&mut database).await >= least).await;
        server.kill_postgres().await;
    }
    let participants = running.await.unwrap();
    assert!(participants.iter().all(|participant| participant.connected == 1), "a socket was closed");
    check_law(&mut connected(&url).await, &participants).await;
    assert!(server.end(Signal::SIGTERM).await.success(), "{}", server.log());
}

async fn connected(url: &str) -> PgConnection {
    eventually_some("PostgreSQL accepts", async || PgConnection::connect(url).await.ok()).await
}
