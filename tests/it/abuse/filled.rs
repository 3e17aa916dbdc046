//! Logs that would take an attacker minutes to write, put into the database.

use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};
use tidings::domain::{ConversationId, UserId};

use crate::support::ServerProcess;

/// The longest message there is: 4,000 characters, each twice two bytes of UTF-8.
/// Random ones, which PostgreSQL does not make shorter.
const LONG: &str = "(SELECT string_agg(chr(65536 + (random() * 60000)::int), '') FROM generate_series(1, 4000) WHERE n IS NOT NULL)";

/// Gives the user so many conversations of so many long messages each; only the
/// user is in them.
pub async fn fill(
    server: &ServerProcess,
    user: UserId,
    conversations: usize,
    messages: usize,
) -> Vec<ConversationId> {
    let mut connection = PgConnection::connect(&server.database_url()).await.expect("a connection");
    let ids: Vec<ConversationId> = (0..conversations).map(|_| ConversationId::fresh()).collect();
    let list = ids.iter().map(|id| format!("'{id}'")).collect::<Vec<_>>().join(",");
    let statements = format!(
        "CREATE TEMPORARY TABLE made AS SELECT unnest(ARRAY[{list}]::uuid[]) AS id;
         CREATE TEMPORARY TABLE texts AS SELECT n, {LONG} AS body FROM generate_series(1, 20) n;
         INSERT INTO conversations (id, last_seq, last_message_seq, last_at)
         SELECT id, {messages}, {messages}, now() FROM made;
         INSERT INTO members (conversation_id, user_id) SELECT id, '{user}' FROM made;
         INSERT INTO messages (conversation_id, seq, sender_id, client_id, body)
         SELECT id, seq, '{user}', overlay(gen_random_uuid()::text PLACING '7' FROM 15)::uuid, body
         FROM made, generate_series(1, {messages}) seq JOIN texts ON n = 1 + seq % 20;"
    );
    connection.execute(AssertSqlSafe(statements)).await.expect("filled");
    connection.close().await.expect("closed");
    ids
}
