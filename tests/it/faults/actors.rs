//! Actors that panic under open sockets.

use std::time::{Duration, Instant};

use tidings::domain::ClientId;
use tidings::protocol::{self, ClientFrame, Content, ServerFrame, Sync, Watch};
use uuid::Uuid;

use super::FAULTS;
use crate::support::{
    Bystanders, Crowd, Dice, Person, Plan, ServerProcess, Socket, TestDatabase, TestServer, eventually,
};

fn is_resync(frame: &ServerFrame) -> bool {
    matches!(frame, ServerFrame::Resync(_))
}

#[tokio::test]
async fn f01_a_user_actor_panics_on_a_frame() {
    // The program: with its own word on panics, which takes no second of symbols.
    let server = ServerProcess::start(&[FAULTS, ("TIDINGS_CRASHES", "100")]).await;
    let bystanders = Bystanders::at(&server.url, &server.database_url()).await;
    let (ada, bob) = (server.person("Ada").await, server.person("Bob").await);
    let conversation = ada.conversation_with(&bob).await;
    let (mut hers, mut his) = (ada.connect(&[]).await, bob.connect(&[]).await);
    // From the fatal frame to the reply to the next one, on the same socket.
    let mut took = Vec::new();
    for _ in 0..10 {
        let begun = Instant::now();
        hers.say_text(r#"{"fault":"user"}"#).await;
        hers.ping().await;
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
    bystanders.unharmed().await;
}

/// A full window, as one write, with a fatal frame at each place in turn, and at
/// some a second one: every other is answered or stored, once, in order.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f01_any_one_of_32_frames_in_flight_may_be_fatal() {
    const WINDOW: usize = 32;
    // A user's actor may die 20 times a minute.
    const ROUNDS: usize = 8;
    let server = TestServer::start(&[FAULTS, ("TIDINGS_CRASHES", "100")]).await;
    let bob = server.person("Bob").await;
    for user in 0..WINDOW / ROUNDS {
        let ada = server.person(&format!("Ada {user}")).await;
        let conversation = ada.conversation_with(&bob).await;
        let mut hers = ada.connect(&[]).await;
        let (mut to_refuse, mut to_store, mut deaths) = (Vec::new(), Vec::new(), 0);
        for fatal in user * ROUNDS..(user + 1) * ROUNDS {
            let frames: Vec<String> = (0..WINDOW)
                .map(|place| {
                    // Every fourth time the next actor dies too, of its first frame.
                    if place == fatal || (place == fatal + 1 && fatal % 4 == 0) {
                        deaths += 1;
                        return r#"{"fault":"user"}"#.to_owned();
                    }
                    let client_id = ClientId(Uuid::now_v7());
                    let body = if place % 2 == 0 { "" } else { "Hello" };
                    if body.is_empty() { &mut to_refuse } else { &mut to_store }.push(client_id);
                    let send = protocol::Send { client_id, conversation, content: Content::message(body) };
                    serde_json::to_string(&ClientFrame::Send(send)).unwrap()
                })
                .collect();
            hers.say_together(frames).await;
            // Behind all others: when it is answered, they are done.
            hers.ping().await;
            // Nothing is sent again: the next actor brings what has no answer to an end.
            while !to_store.iter().all(|id| is_stored(&hers, *id)) {
                hers.expect("an answer", |frame| matches!(frame, ServerFrame::Stored(_))).await;
            }
        }
        // Answered by the actor itself, on the socket that it does not own.
        assert_eq!(hers.heard.iter().filter_map(refused).collect::<Vec<_>>(), to_refuse);
        assert_eq!(hers.heard.iter().filter(|frame| is_resync(frame)).count(), deaths);
        let all = async || ada.history(conversation).await.len() == to_store.len();
        eventually("all are stored", all).await;
        let log = ada.history(conversation).await;
        assert!(log.iter().map(|message| message.client_id).eq(to_store), "{log:?}");
        assert!(log.iter().zip(1..).all(|(message, seq)| message.seq == seq));
    }
}

fn is_stored(socket: &Socket, client_id: ClientId) -> bool {
    let of =
        |frame: &ServerFrame| matches!(frame, ServerFrame::Stored(stored) if stored.client_id == client_id);
    socket.heard.iter().any(of)
}

/// The send that was refused.
fn refused(frame: &ServerFrame) -> Option<ClientId> {
    if let ServerFrame::Error(error) = frame { error.client_id } else { None }
}

/// A socket that has not said hello is told of no new actor: nothing wakes its
/// connection but the frame that comes back.
#[tokio::test]
async fn f01_a_hello_behind_a_fatal_frame_is_answered() {
    let server = TestServer::start(&[FAULTS]).await;
    let mut hers = server.person("Ada").await.upgrade().await.unwrap();
    let hello = r#"{"type":"hello","cursors":[]}"#;
    hers.say_together([r#"{"fault":"user"}"#, hello].map(str::to_owned)).await;
    hers.expect("welcome", |frame| matches!(frame, ServerFrame::Welcome(_))).await;
}

#[tokio::test]
async fn f02_a_frame_that_fails_three_times_closes_its_connection() {
    let database = TestDatabase::create().await;
    let server = ServerProcess::start(&[FAULTS, ("DATABASE_URL", database.url())]).await;
    let bystanders = Bystanders::at(&server.url, database.url()).await;
    let (ada, bob) = (server.person("Ada").await, server.person("Bob").await);
    let (mut hers, mut other, mut his) =
        (ada.connect(&[]).await, ada.connect(&[]).await, bob.connect(&[]).await);
    for _ in 0..2 {
        hers.say_text(r#"{"fault":"user","note":"a secret"}"#).await;
        hers.ping().await;
    }
    hers.say_text(r#"{"fault":"user","note":"a secret"}"#).await;
    let end = hers.end().await;
    assert_eq!((end.code, end.reason.is_empty()), (4500, false));
    // Her other tab goes on, after three resynchronisations; others know nothing of it.
    for _ in 0..3 {
        other.expect("resync", is_resync).await;
    }
    other.ping().await;
    his.ping().await;
    assert!(!his.heard.iter().any(is_resync));
    eventually("it is logged", async || server.log().matches("frame_hash").count() == 3).await;
    assert!(!server.log().contains("a secret"), "{}", server.log());
    bystanders.unharmed().await;
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

/// Two people and two bystanders.
const EVERYBODY: usize = 4;

/// Whether the frame shows one of them missing.
fn somebody_leaves(frame: &ServerFrame) -> bool {
    match frame {
        ServerFrame::Presence(presence) => presence.online.len() < EVERYBODY,
        ServerFrame::PresenceDiff(diff) => !diff.leaves.is_empty(),
        _ => false,
    }
}

#[tokio::test]
async fn f03_presence_panics_and_nobody_is_seen_leaving() {
    // As in f01.
    let server = ServerProcess::start(&[FAULTS, ("TIDINGS_PRESENCE_INTERVAL_MS", "50")]).await;
    let bystanders = Bystanders::at(&server.url, &server.database_url()).await;
    let (ada, bob) = (server.person("Ada").await, server.person("Bob").await);
    let conversation = ada.conversation_with(&bob).await;
    let mut hers = ada.connect(&[]).await;
    let mut his = watching(&bob, EVERYBODY).await;
    for round in 0..3 {
        let (begun, body) = (Instant::now(), format!("round {round}"));
        hers.say_text(r#"{"fault":"presence"}"#).await;
        let client_id = hers.send(conversation, &body).await;
        hers.stored(client_id).await;
        if !his
            .heard
            .iter()
            .any(|frame| matches!(frame, ServerFrame::Event(event) if event.body() == Some(&*body)))
        {
            his.message(&body).await;
        }
        // The rebuilt one answers; it may still be counting at first.
        let mut rebuilt = false;
        while !rebuilt {
            his.say_text(r#"{"type":"watch","list":true}"#).await;
            let answer = his.expect("presence", |frame| matches!(frame, ServerFrame::Presence(_))).await;
            rebuilt = count(&answer) == Some(EVERYBODY);
        }
        assert!(begun.elapsed() < Duration::from_secs(1), "rebuilt after {:?}", begun.elapsed());
    }
    // Whoever comes now is seen: it works.
    let eve = server.person("Eve").await;
    let _here = eve.connect(&[]).await;
    his.expect("Eve", |frame| count(frame) == Some(EVERYBODY + 1)).await;
    let settled = his.heard.iter().position(|frame| count(frame) == Some(EVERYBODY)).unwrap();
    let left: Vec<_> = his.heard[settled..].iter().filter(|frame| somebody_leaves(frame)).collect();
    assert!(left.is_empty(), "{left:?}");
    bystanders.unharmed().await;
}

#[tokio::test]
async fn f03_the_supervisor_of_the_users_panics_and_all_sockets_stay() {
    let server = TestServer::start(&[FAULTS]).await;
    let bystanders = Bystanders::of(&server).await;
    let (ada, bob) = (server.person("Ada").await, server.person("Bob").await);
    let conversation = ada.conversation_with(&bob).await;
    let (mut hers, mut his) = (ada.connect(&[]).await, watching(&bob, EVERYBODY).await);
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
    let settled = his.heard.iter().position(|frame| count(frame) == Some(EVERYBODY)).unwrap();
    assert!(!his.heard[settled..].iter().any(somebody_leaves));
    bystanders.unharmed().await;
}

#[tokio::test]
async fn f04_persistence_panics_in_mid_batch_and_nothing_is_lost_or_doubled() {
    let server = TestServer::start(&[FAULTS]).await;
    let bystanders = Bystanders::of(&server).await;
    let mut dice = Dice::new("f04");
    let crowd = Crowd::start(&server.url, &Plan::default(), &mut dice).await;
    let mut socket = server.person("Breaker").await.connect(&[]).await;
    for _ in 0..6 {
        crowd.until_more(100 + dice.below(200) as u64).await;
        socket.say_text(r#"{"fault":"persistence"}"#).await;
    }
    crowd.until_caught_up().await;
    assert!(crowd.kept_its_sockets());
    crowd.finish(server.database.url()).await;
    bystanders.unharmed().await;
}

/// A handler that never returns is no death that anybody is told of.
#[tokio::test]
async fn a_station_that_hangs_is_named_and_replaced_and_all_sockets_stay() {
    let server = ServerProcess::start(&[FAULTS]).await;
    let bystanders = Bystanders::at(&server.url, &server.database_url()).await;
    let (ada, bob) = (server.person("Ada").await, server.person("Bob").await);
    let conversation = ada.conversation_with(&bob).await;
    let (mut hers, mut his) = (ada.connect(&[]).await, watching(&bob, EVERYBODY).await);
    for station in ["presence", "push", "users", "persistence"] {
        hers.say_text(&format!(r#"{{"fault":"{station}","freeze":true}}"#)).await;
        let missing = format!(r#""missing":["{station}"]"#);
        eventually("it is named", async || server.get_as_operator("/readyz").await.1.contains(&missing))
            .await;
        assert_eq!(server.get("/readyz").await.0, 503);
        eventually("it is replaced", async || server.get("/readyz").await.0 == 200).await;
        let client_id = hers.send(conversation, station).await;
        hers.stored(client_id).await;
        his.message(station).await;
    }
    // Presence and the users' supervisor work: whoever comes now is seen.
    let eve = server.person("Eve").await;
    let _here = eve.connect(&[]).await;
    his.expect("Eve", |frame| count(frame) == Some(EVERYBODY + 1)).await;
    let settled = his.heard.iter().position(|frame| count(frame) == Some(EVERYBODY)).unwrap();
    assert!(!his.heard[settled..].iter().any(somebody_leaves));
    bystanders.unharmed().await;
}
