//! What a request costs does not grow with the history of others.

use sqlx::{Connection, Executor, PgConnection};
use tidings::database::{HistoryFilter, HistoryRange, Log, NewEvent, PushCandidate};
use tidings::domain::{ClientId, ConversationId, Operation, UserId};
use tidings::protocol::Cursor;
use uuid::Uuid;

use crate::support::{TestDatabase, eventually, says};

/// The first user talks with each of 300 others, 200 messages each.
const LOAD: &str = r#"
INSERT INTO users (id, name, name_key, look_alike)
SELECT ('00000000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, 'user' || n, 'user' || n, 'user' || n
FROM generate_series(1, 5000) n;
INSERT INTO conversations (id, direct_low, direct_high, last_seq, last_message_seq, last_change_seq, last_at)
SELECT ('00000000-0000-7000-9000-' || lpad(to_hex(n), 12, '0'))::uuid, '00000000-0000-7000-8000-000000000001',
    ('00000000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, 200, 199, 200, now() - n * interval '1 s'
FROM generate_series(2, 301) n;
INSERT INTO members (conversation_id, user_id, delivered_seq, read_seq)
SELECT id, member, 0, 0 FROM conversations, unnest(ARRAY[direct_low, direct_high]) AS member;
INSERT INTO messages (conversation_id, seq, sender_id, client_id, body)
SELECT id, seq, direct_high, gen_random_uuid(), 'hello' FROM conversations, generate_series(1, 199) seq WHERE seq % 10 > 0;
INSERT INTO changes (conversation_id, seq, sender_id, client_id, content)
SELECT id, seq, direct_high, gen_random_uuid(), '{"kind": "pin", "target": 1, "on": true}'
FROM conversations, generate_series(10, 200, 10) seq;
INSERT INTO pins (conversation_id, message_seq, change_seq)
SELECT id, 11 + seq, 10 + seq FROM conversations, generate_series(0, 180, 10) seq;
INSERT INTO sessions (token_hash, user_id, expires_at)
SELECT sha256(id::text::bytea), id, now() + interval '1 day' FROM users;
INSERT INTO push_subscriptions (endpoint, session_hash, user_id, p256dh, auth)
SELECT 'https://push.example.org/' || user_id, token_hash, user_id, decode(repeat('04', 65), 'hex'), decode(repeat('04', 16), 'hex')
FROM sessions;
ANALYZE;"#;

fn first_user() -> UserId {
    UserId(Uuid::from_u128(0x0000_0000_0000_7000_8000_0000_0000_0001))
}

/// With the user of this number, from 2 to 301.
fn conversation(n: u128) -> ConversationId {
    ConversationId(Uuid::from_u128(0x0000_0000_0000_7000_9000_0000_0000_0000 + n))
}

/// A database with all that, and a connection that sees what others have read.
async fn loaded() -> (TestDatabase, PgConnection) {
    let kept = TestDatabase::create().await;
    let mut loader = kept.connection().await;
    loader.execute(LOAD).await.unwrap();
    // As if an older server had stored them: the next start makes their names searchable.
    loader.execute("DELETE FROM upgrades").await.unwrap();
    loader.close().await.unwrap();
    let database = kept.open().await;
    database.migrate().await.unwrap();
    database.close().await;
    let mut watcher = kept.connection().await;
    alone(&mut watcher).await;
    (kept, watcher)
}

/// How often each large table was read from end to end.
async fn full_reads(connection: &mut PgConnection) -> i64 {
    let statement = "SELECT sum(seq_scan)::bigint FROM pg_stat_user_tables WHERE relname IN ('messages', 'changes', 'users', 'sessions', 'push_subscriptions', 'search_terms', 'pins')";
    sqlx::query_scalar(statement).fetch_one(connection).await.unwrap()
}

/// How many changes were read by their client ids.
async fn named_changes(connection: &mut PgConnection) -> i64 {
    let statement = "SELECT idx_tup_read FROM pg_stat_user_indexes WHERE indexrelname = 'changes_client_key'";
    sqlx::query_scalar(statement).fetch_one(connection).await.unwrap()
}

/// Waits until no other session is left: each reports its reads as it ends.
async fn alone(connection: &mut PgConnection) {
    let statement = "SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()";
    eventually("the other sessions end", async || {
        let others: i64 = sqlx::query_scalar(statement).fetch_one(&mut *connection).await.unwrap();
        others == 0
    })
    .await;
}

#[tokio::test]
async fn no_request_reads_the_history_of_others() {
    let (kept, mut watcher) = loaded().await;
    let before = full_reads(&mut watcher).await;

    let database = kept.open().await;
    let user = first_user();
    let cursors: Vec<Cursor> = (2..302).map(|n| Cursor::new(conversation(n), 199)).collect();
    // Prepared statements are planned anew a few times, then perhaps for good.
    for _ in 0..8 {
        let mut missing = database.missing(user, cursors.clone().into(), 300).await.unwrap();
        assert_eq!(missing.ranges.len(), 300);
        while !missing.ranges.is_empty() {
            assert!(!database.replay_page(user, &mut missing.ranges).await.unwrap().is_empty());
        }
        let (page, next) = database.conversations(user, None, 50).await.unwrap();
        assert_eq!(page.len(), 50);
        assert_eq!(database.conversations(user, next, 50).await.unwrap().0.len(), 50);
        for range in [HistoryRange::Newest, HistoryRange::Before(100), HistoryRange::Around(100)] {
            for (filter, limit) in [(HistoryFilter::All, 50), (HistoryFilter::Pinned, 6)] {
                let history = database.history(user, conversation(7), range, filter, limit);
                assert_eq!(history.await.unwrap().unwrap().messages.len(), limit as usize);
            }
        }
        let missed = |n| PushCandidate { user, conversation: conversation(n), seq: 200, sender: user };
        let due = database.due_pushes(&[missed(2), missed(3)]).await.unwrap();
        assert!(due.len() == 2 && due.iter().all(|push| push.unread == 100));
        for typed in ["", "user1", "u"] {
            assert_eq!(database.search_users(typed, None, 50).await.unwrap().len(), 50);
        }
    }
    database.close().await;

    alone(&mut watcher).await;
    assert_eq!(full_reads(&mut watcher).await, before);
}

#[tokio::test]
async fn a_batch_reads_no_conversation_but_those_it_writes_in() {
    let (kept, mut watcher) = loaded().await;
    let statement =
        "SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_user_tables WHERE relname = 'conversations'";
    let before: i64 = sqlx::query_scalar(statement).fetch_one(&mut watcher).await.unwrap();
    let (scanned, named) = (full_reads(&mut watcher).await, named_changes(&mut watcher).await);

    let database = kept.open().await;
    let mut log = Log::open(database.options()).await.unwrap();
    database.close().await;

    // By both statements.
    for operation in [says("hello"), Operation::Pin { target: 1, on: true }] {
        for round in 0..4 {
            let event = |n| NewEvent {
                sender: first_user(),
                client_id: ClientId(Uuid::now_v7()),
                conversation: conversation(n),
                operation: &operation,
            };
            log.append(&[event(2 + round), event(301 - round)]).await.unwrap();
        }
    }
    drop(log);

    alone(&mut watcher).await;
    let after: i64 = sqlx::query_scalar(statement).fetch_one(&mut watcher).await.unwrap();
    assert!((16..=32).contains(&(after - before)), "{} rows for 16", after - before);
    // Whether a client id names a change or a message is looked up, and none does.
    assert_eq!((full_reads(&mut watcher).await, named_changes(&mut watcher).await), (scanned, named));
}

#[tokio::test]
async fn a_search_reads_no_more_names_than_it_shows() {
    let (kept, mut watcher) = loaded().await;
    let statement =
        "SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_user_tables WHERE relname = 'search_terms'";
    let before: i64 = sqlx::query_scalar(statement).fetch_one(&mut watcher).await.unwrap();
    let database = kept.open().await;
    let mut after = None;
    for _ in 0..8 {
        // All 5,000 match.
        let page = database.search_users("u", after.as_deref(), 50).await.unwrap();
        assert_eq!(page.len(), 50);
        after = page.last().map(|found| found.key.clone());
    }
    database.close().await;
    alone(&mut watcher).await;
    let after: i64 = sqlx::query_scalar(statement).fetch_one(&mut watcher).await.unwrap();
    assert!(after - before <= 8 * 50 * 2, "{} rows", after - before);
}
