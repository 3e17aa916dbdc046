//! Bounds of what is stored and read, with PostgreSQL held up where needed.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use serde_json::json;
use sqlx::{Executor, PgConnection};
use tidings::domain::ConversationId;
use tidings::protocol::{ClientFrame, Position, ServerFrame, Session};

use crate::support::{Person, Socket, TestDatabase, TestServer, eventually};

const MINUTE: Duration = Duration::from_secs(60);

/// Nothing is appended to or read from the log while it lives.
struct Hold(PgConnection);

impl Hold {
    async fn on(database: &TestDatabase) -> Self {
        let mut connection = database.connection().await;
        connection.execute("BEGIN; LOCK TABLE messages IN ACCESS EXCLUSIVE MODE").await.unwrap();
        Self(connection)
    }

    async fn release(mut self) {
        self.0.execute("ROLLBACK").await.unwrap();
    }
}

async fn talking(server: &TestServer) -> (Person, ConversationId, Socket) {
    let (ada, bob) = (server.person("Ada").await, server.person("Bob").await);
    let conversation = ada.conversation_with(&bob).await;
    let socket = ada.connect(&[]).await;
    (ada, conversation, socket)
}

/// It would be lost with the writer.
#[tokio::test]
async fn a_refusal_takes_no_other_send_with_its_id_out_of_flight() {
    let server = TestServer::start(&[("TIDINGS_FAULTS", "on")]).await;
    let (_, conversation, mut socket) = talking(&server).await;
    let hold = Hold::on(&server.database).await;
    let sent = socket.send(conversation, "kept").await;
    let unfit = json!({ "type": "send", "client_id": sent, "conversation": conversation, "kind": "message", "body": " " });
    socket.say_text(&unfit.to_string()).await;
    socket.expect("a refusal", |frame| matches!(frame, ServerFrame::Error(_))).await;
    socket.say_text(r#"{"fault":"persistence"}"#).await;
    socket.ping().await;
    hold.release().await;
    assert_eq!(socket.stored(sent).await.seq, 1);
}

#[tokio::test]
async fn sends_without_an_answer_are_bounded() {
    for settings in [[("TIDINGS_UNACKNOWLEDGED_SENDS", "2")], [("TIDINGS_PERSISTENCE_QUEUE", "2")]] {
        let server = TestServer::start(&settings).await;
        let (ada, conversation, mut socket) = talking(&server).await;
        let hold = Hold::on(&server.database).await;
        let mut sent = Vec::new();
        for number in 0..3 {
            sent.push(socket.send(conversation, &number.to_string()).await);
        }
        let busy = |frame: &ServerFrame| {
            matches!(frame, ServerFrame::Error(error)
                if json!(error.error.code) == "busy" && error.client_id == Some(sent[2]))
        };
        socket.expect("busy", busy).await;
        hold.release().await;
        socket.stored(sent[1]).await;
        assert_eq!(ada.history(conversation).await.len(), 2, "{settings:?}");
    }
}

#[tokio::test]
async fn a_batch_is_as_large_as_is_set() {
    for (most, transactions) in [("1", 21..=21), ("10", 3..=4), ("1000", 2..=3)] {
        let server = TestServer::start(&[("TIDINGS_BATCH_MAX", most)]).await;
        let (_ada, conversation, mut socket) = talking(&server).await;
        let hold = Hold::on(&server.database).await;
        let mut last = socket.send(conversation, "0").await;
        let mut looking = server.database.connection().await;
        let waits = "SELECT 1 FROM pg_locks l JOIN pg_database d ON d.oid = l.database \
                     WHERE d.datname = current_database() AND NOT l.granted";
        eventually("the first is on its way", async || {
            looking.fetch_optional(waits).await.unwrap().is_some()
        })
        .await;
        for number in 1..21 {
            last = socket.send(conversation, &number.to_string()).await;
        }
        socket.say_text(r#"{"type":"ping"}"#).await;
        socket.expect("all are there", |frame| matches!(frame, ServerFrame::Pong(_))).await;
        hold.release().await;
        socket.stored(last).await;
        let rows: Vec<(String,)> =
            sqlx::query_as("SELECT xmin::text FROM messages").fetch_all(&mut looking).await.unwrap();
        let written: HashSet<_> = rows.iter().collect();
        assert_eq!(rows.len(), 21);
        assert!(transactions.contains(&written.len()), "{most}: {} transactions", written.len());
    }
}

#[tokio::test]
async fn there_are_as_many_writers_as_are_set() {
    let server = TestServer::start(&[("TIDINGS_WRITERS", "3")]).await;
    let (_ada, _, mut socket) = talking(&server).await;
    // Conversations are spread by their ids, whether they exist or not.
    for _ in 0..60 {
        let conversation = ConversationId::fresh();
        socket.say(&ClientFrame::Delivered(Position { conversation, seq: 1 })).await;
    }
    let mut looking = server.database.connection().await;
    let count = "SELECT count(*) FROM pg_stat_activity \
                 WHERE datname = current_database() AND application_name = 'tidings writer'";
    eventually("three connections", async || {
        sqlx::query_scalar::<_, i64>(count).fetch_one(&mut looking).await.unwrap() == 3
    })
    .await;
}

#[tokio::test]
async fn f12_the_pool_is_as_large_and_as_patient_as_is_set() {
    for (size, refused) in [("1", true), ("2", false)] {
        let settings = [("TIDINGS_POOL_SIZE", size), ("TIDINGS_POOL_TIMEOUT_MS", "1000")];
        let server = TestServer::start(&settings).await;
        let (ada, conversation, _socket) = talking(&server).await;
        let hold = Hold::on(&server.database).await;
        let mut looking = server.database.connection().await;
        let held_up = ada.clone();
        let reading = tokio::spawn(async move { held_up.history(conversation).await });
        let waits = "SELECT 1 FROM pg_locks l JOIN pg_database d ON d.oid = l.database \
                     WHERE d.datname = current_database() AND NOT l.granted";
        eventually("one connection waits", async || looking.fetch_optional(waits).await.unwrap().is_some())
            .await;
        let begun = Instant::now();
        let answer = ada.get::<tidings::protocol::Session>("/api/session").await;
        assert_eq!(answer.is_err(), refused, "{size}: {answer:?}");
        if let Err((status, _)) = answer {
            assert_eq!(status.as_u16(), 503);
            assert!(begun.elapsed() < Duration::from_secs(4), "the default is 5 s");
        }
        hold.release().await;
        reading.await.unwrap();
    }
}

#[tokio::test]
async fn a_session_lasts_as_long_as_is_set() {
    let day = Duration::from_secs(24 * 60 * 60);
    // With how much of it gone a request puts its end off.
    for (days, worn) in [(3, day), (1, day / 2)] {
        let server = TestServer::start(&[("TIDINGS_SESSION_TTL_DAYS", &days.to_string())]).await;
        let ada = server.person("Ada").await;
        let mut looking = server.database.connection().await;
        let whole = f64::from(days) * 86400.0;
        assert!((whole - 60.0..=whole).contains(&remains(&mut looking).await), "{days} days");
        for (gone, is_put_off) in [(worn - MINUTE, false), (worn + MINUTE, true)] {
            let age = "UPDATE sessions SET expires_at = now() + $1 * interval '1 s'";
            let left = whole - gone.as_secs_f64();
            sqlx::query(age).bind(left).execute(&mut looking).await.unwrap();
            let _session: Session = ada.get("/api/session").await.unwrap();
            assert_eq!(remains(&mut looking).await > left, is_put_off, "{days} days, {gone:?} gone");
        }
    }
}

/// Seconds until the one session ends.
async fn remains(connection: &mut PgConnection) -> f64 {
    let statement = "SELECT extract(epoch FROM expires_at - now())::float8 FROM sessions";
    sqlx::query_scalar(statement).fetch_one(connection).await.unwrap()
}

#[tokio::test]
async fn a_shutdown_is_spread_and_bounded() {
    let server = TestServer::start(&[("TIDINGS_SHUTDOWN_SPREAD_MS", "500")]).await;
    let (_ada, _, mut socket) = talking(&server).await;
    let begun = Instant::now();
    let (_database, end) = futures::join!(server.stop(), socket.end());
    assert_eq!(end.code, 1012);
    assert!(begun.elapsed() >= Duration::from_millis(500));

    let server = TestServer::start(&[("TIDINGS_SHUTDOWN_TIMEOUT_MS", "200")]).await;
    let (_ada, conversation, mut socket) = talking(&server).await;
    let _hold = Hold::on(&server.database).await;
    socket.send(conversation, "never stored").await;
    socket.say_text(r#"{"type":"ping"}"#).await;
    socket.expect("it is there", |frame| matches!(frame, ServerFrame::Pong(_))).await;
    let begun = Instant::now();
    assert!(!server.try_stop().await, "it cannot have ended in order");
    assert!(begun.elapsed() < Duration::from_secs(8), "the default is 30 s");
}
