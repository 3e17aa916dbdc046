//! A database of an earlier version becomes one of this version.

use std::fs;
use std::path::Path;
use std::time::Instant;

use sqlx::migrate::Migrator;
use sqlx::{AssertSqlSafe, Executor, PgConnection};
use tidings::database::{HistoryFilter, HistoryRange};
use tidings::domain::{ConversationId, UserId};
use uuid::Uuid;

use crate::support::{Directory, TestDatabase};

/// Messages in the old database; a command may ask for more (docs/performance.md).
fn size() -> i64 {
    std::env::var("TIDINGS_TEST_MESSAGES").map_or(2_000, |size| size.parse().expect("a number of messages"))
}

/// The last step before a conversation became a log of events.
const BEFORE_EVENTS: &str = "0008";

/// `$1` messages in conversations of a hundred each, between a thousand people.
const FILL: [&str; 4] = [
    "INSERT INTO users (id, name, name_key, look_alike)
    SELECT ('00000000-0000-4000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, 'user' || n, 'user' || n, 'user' || n
    FROM generate_series(1, 1000) n",
    "INSERT INTO conversations (id, direct_low, direct_high, last_seq, last_at)
    SELECT ('00000000-0000-4000-9000-' || lpad(to_hex(900 * one + other), 12, '0'))::uuid,
        ('00000000-0000-4000-8000-' || lpad(to_hex(1 + one), 12, '0'))::uuid,
        ('00000000-0000-4000-8000-' || lpad(to_hex(101 + other), 12, '0'))::uuid, 100, now()
    FROM generate_series(0, 99) one, generate_series(0, 899) other ORDER BY one, other LIMIT $1 / 100",
    "INSERT INTO members (conversation_id, user_id, delivered_seq, read_seq)
    SELECT id, member, 40, 30 FROM conversations, unnest(ARRAY[direct_low, direct_high]) AS member",
    "INSERT INTO events (conversation_id, seq, sender_id, client_id, body)
    SELECT id, seq, direct_high, gen_random_uuid(), 'What the message says is some fifty characters long.'
    FROM conversations, generate_series(1, 100) seq ORDER BY seq",
];

/// As it was before the step that follows `last`.
async fn of_version(last: &str, connection: &mut PgConnection) {
    let (old, migrations) = (Directory::new(), Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations"));
    for step in fs::read_dir(migrations).unwrap().map(|step| step.unwrap()) {
        if step.file_name().to_str().is_some_and(|name| &name[..last.len()] <= last) {
            fs::copy(step.path(), old.path().join(step.file_name())).unwrap();
        }
    }
    Migrator::new(old.path()).await.unwrap().run(connection).await.unwrap();
}

async fn bytes(connection: &mut PgConnection) -> i64 {
    let statement = "SELECT pg_database_size(current_database())";
    sqlx::query_scalar(statement).fetch_one(connection).await.unwrap()
}

#[tokio::test]
async fn messages_of_an_earlier_version_are_events_of_this_one() {
    let kept = TestDatabase::empty().await;
    let mut connection = kept.connection().await;
    of_version(BEFORE_EVENTS, &mut connection).await;
    for statement in FILL {
        let count = statement.contains("$1").then_some(size());
        let query = sqlx::query(AssertSqlSafe(statement));
        match count {
            Some(count) => query.bind(count).execute(&mut connection).await.unwrap(),
            None => query.execute(&mut connection).await.unwrap(),
        };
    }
    connection.execute("CHECKPOINT").await.unwrap();
    let (before, begun) = (bytes(&mut connection).await, Instant::now());
    let database = kept.open().await;
    database.migrate().await.unwrap();
    let took = begun.elapsed();
    let after = bytes(&mut connection).await;
    eprintln!("{} messages: {took:?}, {} to {} MiB", size(), before >> 20, after >> 20);

    let user = UserId(Uuid::from_u128(0x0000_0000_0000_4000_8000_0000_0000_0001));
    let id = ConversationId(Uuid::from_u128(0x0000_0000_0000_4000_9000_0000_0000_0000));
    let conversation = database.conversation(user, id).await.unwrap().unwrap();
    assert_eq!((conversation.last_seq, conversation.last.map(|last| last.seq)), (100, Some(100)));
    assert_eq!((conversation.unread, conversation.pins), (70, vec![]));
    let page =
        database.history(user, id, HistoryRange::Newest, HistoryFilter::All, 100).await.unwrap().unwrap();
    assert!(page.messages.iter().map(|message| message.seq).eq(1..=100));
    // As if it had never been another one.
    let new = TestDatabase::create().await;
    assert_eq!(schema(&mut connection).await, schema(&mut new.connection().await).await);
    database.close().await;
}

/// Every column, constraint and index.
async fn schema(connection: &mut PgConnection) -> Vec<String> {
    let statement = "
    SELECT concat_ws(' ', table_name, column_name, data_type, is_nullable, column_default)
    FROM information_schema.columns WHERE table_schema = 'public'
    UNION ALL SELECT concat_ws(' ', conrelid::regclass, conname, pg_get_constraintdef(oid))
    FROM pg_constraint WHERE connamespace = 'public'::regnamespace
    UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1";
    sqlx::query_scalar(statement).fetch_all(connection).await.unwrap()
}
