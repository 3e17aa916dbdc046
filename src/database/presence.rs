use std::collections::HashMap;
use std::time::Instant;

use uuid::Uuid;

use super::position::Position;
use super::row::{PairRow, row};
use super::{Context, Database, DatabaseError, from_bigint, to_bigint};
use crate::domain::{ConversationId, Members, UserId, Visibility};

/// A position that others were not sent while the user was invisible.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WithheldReceipt {
    pub position: Position,
    pub members: Members,
}

// Whoever is invisible stays as last seen, whatever is still on its way here.
const STORE_LAST_SEEN: &str = "
UPDATE users u
SET last_seen_at = greatest(last_seen_at, date_trunc('milliseconds', now() - ago * interval '1 millisecond'))
FROM unnest($1::uuid[], $2::bigint[]) AS seen (id, ago)
WHERE u.id = seen.id AND u.visibility % 2 = 0";

// The same choice again is no change. Of two at once, one waits for the other.
const SET_VISIBILITY: &str = "
WITH changed AS (
    UPDATE users SET visibility = visibility + 1,
        last_seen_at = CASE WHEN $3 THEN date_trunc('milliseconds', now()) ELSE last_seen_at END
    WHERE id = $1 AND (visibility % 2 = 1) <> $2 RETURNING visibility
)
SELECT visibility FROM changed
UNION ALL SELECT visibility FROM users WHERE id = $1 AND NOT EXISTS (SELECT FROM changed)";

const WITHHELD: &str = "
SELECT m.conversation_id, m.delivered_seq, m.read_seq, c.direct_low, c.direct_high
FROM members m JOIN conversations c ON c.id = m.conversation_id WHERE m.user_id = $1 AND m.frozen_at = $2";

row! {
    struct WithheldRow {
        conversation_id: Uuid,
        delivered_seq: i64,
        read_seq: i64,
        ..pair: PairRow,
    }
}

impl Database {
    /// Stores when these users were last seen.
    pub async fn store_last_seen(&self, seen: &HashMap<UserId, Instant>) -> Result<(), DatabaseError> {
        const CONTEXT: &str = "store who was seen";
        // PostgreSQL's clock counts back from when the statement arrives, so the wait
        // for a connection must be over by then.
        let mut connection = self.pool.acquire().await.context(CONTEXT)?;
        let ago = |at: &Instant| i64::try_from(at.elapsed().as_millis()).unwrap_or(i64::MAX);
        let (ids, ages): (Vec<Uuid>, Vec<i64>) = seen.iter().map(|(user, at)| (user.0, ago(at))).unzip();
        sqlx::query(STORE_LAST_SEEN)
            .bind(ids)
            .bind(ages)
            .execute(&mut *connection)
            .await
            .map(drop)
            .context(CONTEXT)
    }

    /// Stores the choice of a user. Returns `None` if there is no such user. `seen`:
    /// others see the user now, and will find that this was the last time.
    pub async fn set_visibility(
        &self,
        user: UserId,
        invisible: bool,
        seen: bool,
    ) -> Result<Option<Visibility>, DatabaseError> {
        let visibility: Option<i64> = sqlx::query_scalar(SET_VISIBILITY)
            .bind(user.0)
            .bind(invisible)
            .bind(seen && invisible)
            .fetch_optional(&self.pool)
            .await
            .context("set the visibility")?;
        Ok(visibility.map(|number| Visibility::from_version(from_bigint(number))))
    }

    /// Returns the positions that were withheld from others while this was the choice.
    pub async fn withheld_receipts(
        &self,
        user: UserId,
        choice: Visibility,
    ) -> Result<Vec<WithheldReceipt>, DatabaseError> {
        let rows: Vec<WithheldRow> = sqlx::query_as(WITHHELD)
            .bind(user.0)
            .bind(to_bigint(choice.version()))
            .fetch_all(&self.pool)
            .await
            .context("read hidden positions")?;
        Ok(rows.into_iter().map(|row| row.into_hidden(user)).collect())
    }
}

impl WithheldRow {
    fn into_hidden(self, user: UserId) -> WithheldReceipt {
        WithheldReceipt {
            position: Position {
                conversation: ConversationId(self.conversation_id),
                user,
                delivered: from_bigint(self.delivered_seq),
                read: from_bigint(self.read_seq),
            },
            members: self.pair.members(),
        }
    }
}
