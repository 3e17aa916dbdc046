//! Checks whether a message can be stored, by storing one.

use std::time::Duration;

use sqlx::{Connection, Executor};
use tokio::time::timeout;

use super::{Database, Log, WriteError};

/// As large as a message may be, so that it needs new pages where a message
/// does, and in the log itself, which may be on a disk of its own. Hexadecimal
/// digits at random are not made shorter by compression.
const STORE: &str = "
INSERT INTO messages (conversation_id, seq, sender_id, client_id, body)
SELECT uuid_nil, 1, uuid_nil, uuid_nil, string_agg(md5(random()::text), '')
FROM (VALUES ('00000000-0000-0000-0000-000000000000'::uuid)) AS nobody (uuid_nil), generate_series(1, 512)
GROUP BY uuid_nil";

/// Deletes the message before it is visible to others.
const DELETE_AGAIN: &str =
    "DELETE FROM messages WHERE conversation_id = '00000000-0000-0000-0000-000000000000'";

impl Database {
    /// Stores a message in a conversation that does not exist and deletes it again,
    /// in one transaction that is committed to the disk, on a connection made
    /// as a writer makes its own.
    pub async fn try_to_store(&self, within: Duration) -> Result<(), WriteError> {
        timeout(within, self.write_and_roll_back()).await.unwrap_or_else(|_| Err(WriteError::timed_out()))
    }

    async fn write_and_roll_back(&self) -> Result<(), WriteError> {
        let mut connection = Log::open(&self.options).await?.into_connection();
        let mut transaction = connection.begin().await?;
        transaction.execute(STORE).await?;
        transaction.execute(DELETE_AGAIN).await?;
        transaction.commit().await?;
        // It has served its purpose, however it ends.
        drop(connection.close().await);
        Ok(())
    }
}
