//! A group of ten thousand, of whom few are connected.

use std::time::Instant;

use sqlx::{Connection, PgConnection};

use super::rig::{Rig, stored};
use crate::support::{TestDatabase, eventually};

const MEMBERS: i64 = 10_000;
const MESSAGES: usize = 200;

const JOIN: &str = "
WITH crowd AS (
    INSERT INTO users (id, name, name_key, look_alike)
    SELECT gen_random_uuid(), 'member ' || n, 'member ' || n, 'member ' || n FROM generate_series(1, $2) n RETURNING id
)
INSERT INTO members (conversation_id, user_id) SELECT $1, id FROM crowd";

/// How many rows of memberships have been read.
async fn members_read(connection: &mut PgConnection) -> i64 {
    let statement = "SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_user_tables WHERE relname = 'members'";
    sqlx::query_scalar(statement).fetch_one(connection).await.unwrap()
}

#[tokio::test]
async fn a_message_to_ten_thousand_members_reads_its_senders_membership_only() {
    let database = TestDatabase::create().await;
    let rig = Rig::start(database.url()).await;
    let (mut ada, mut bob) = (rig.member().await, rig.member().await);
    let talk = rig.conversation(&[&ada, &bob]).await;
    sqlx::query(JOIN).bind(talk.0).bind(MEMBERS - 2).execute(&rig.pool).await.unwrap();
    // The list is read once.
    stored(ada.send(ada.writes(talk, "first")).await);
    bob.event().await;
    let begun = Instant::now();
    for _ in 0..MESSAGES {
        stored(ada.send(ada.writes(talk, "next")).await);
    }
    let each = begun.elapsed() / u32::try_from(MESSAGES).unwrap();
    for _ in 0..MESSAGES {
        bob.event().await;
    }
    // Whoever connects now is found as well.
    let mut tablet = rig.same_member(&bob).await;
    stored(ada.send(ada.writes(talk, "last")).await);
    assert_eq!(tablet.event().await.event.body(), Some("last"));
    eprintln!("{each:?} for each message to {MEMBERS} members");
    rig.pool.close().await;
    drop(rig);
    // Sessions report what they have read when they end.
    let mut watcher = database.connection().await;
    let others = "SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()";
    eventually("the writers' sessions end", async || {
        sqlx::query_scalar::<_, i64>(others).fetch_one(&mut watcher).await.unwrap() == 0
    })
    .await;
    let read = members_read(&mut watcher).await;
    watcher.close().await.unwrap();
    let once = MEMBERS + 10 * i64::try_from(MESSAGES).unwrap();
    assert!(read <= once, "{read} rows of memberships were read for {MESSAGES} messages");
}
