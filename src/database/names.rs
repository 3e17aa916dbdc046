//! Frees names that nobody uses.

use std::time::Duration;

use uuid::Uuid;

use super::sessions::interval;
use super::{Context, Database, DatabaseError};
use crate::domain::UserId;

/// Users examined by one statement.
const AT_ONCE: i64 = 1_000;

const NEXT_IDS: &str = "SELECT id FROM users WHERE id > $1 ORDER BY id LIMIT $2";

/// Nobody can enter a name without password and session. What was written in a
/// conversation needs its people. `$1` are users, `$2` how long they are kept.
macro_rules! unused {
    () => {
        "u.id = ANY($1) AND u.password_hash IS NULL
    AND greatest(u.created_at, u.last_seen_at) < now() - $2
    AND NOT EXISTS (SELECT FROM sessions s WHERE s.user_id = u.id AND s.expires_at > now())
    AND NOT EXISTS (
        SELECT FROM members m JOIN conversations c ON c.id = m.conversation_id
        WHERE m.user_id = u.id AND c.last_seq > 0
    )"
    };
}

// Before it is decided: from here on nobody can begin a conversation with them.
const LOCK_UNUSED: &str =
    concat!("SELECT u.id FROM users u WHERE ", unused!(), " ORDER BY u.id FOR UPDATE SKIP LOCKED");

const EMPTY_CONVERSATIONS: &str = "
DELETE FROM conversations c USING members m
WHERE m.conversation_id = c.id AND m.user_id = ANY($1) AND c.last_seq = 0";

const FREE: &str = concat!("DELETE FROM users u WHERE ", unused!());

impl Database {
    /// Frees names that nobody has used for `kept`, among the next users after
    /// `after`. Returns how many, and where to continue (from the start if `None`).
    pub async fn free_unused_names(
        &self,
        after: Option<UserId>,
        kept: Duration,
    ) -> Result<(u64, Option<UserId>), DatabaseError> {
        let context = "free unused names";
        let after = after.map_or(Uuid::nil(), |user| user.0);
        let ids: Vec<Uuid> = sqlx::query_scalar(NEXT_IDS)
            .bind(after)
            .bind(AT_ONCE)
            .fetch_all(&self.pool)
            .await
            .context(context)?;
        let next = ids.last().copied().map(UserId);
        let mut transaction = self.pool.begin().await.context(context)?;
        let unused: Vec<Uuid> = sqlx::query_scalar(LOCK_UNUSED)
            .bind(&ids)
            .bind(interval(kept))
            .fetch_all(&mut *transaction)
            .await
            .context(context)?;
        if unused.is_empty() {
            return Ok((0, next));
        }
        sqlx::query(EMPTY_CONVERSATIONS).bind(&unused).execute(&mut *transaction).await.context(context)?;
        // Looked at again: what came before the lock was seen by nobody.
        let freed = sqlx::query(FREE)
            .bind(&unused)
            .bind(interval(kept))
            .execute(&mut *transaction)
            .await
            .context(context)?;
        transaction.commit().await.context(context)?;
        Ok((freed.rows_affected(), next))
    }
}
