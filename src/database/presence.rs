use std::time::Duration;

use sqlx::FromRow;
use uuid::Uuid;

use super::log::Position;
use super::{Database, DatabaseError, Doing, from_bigint, to_bigint};
use crate::domain::{ConversationId, UserId, Visibility};

/// A position that others have not been shown while the user was invisible.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hidden {
    pub position: Position,
    pub others: Vec<UserId>,
}

// Whoever is invisible stays as last seen, whatever is still on its way here.
const SAW: &str = "
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

const HIDDEN: &str = "
SELECT m.conversation_id, m.delivered_seq, m.read_seq, ARRAY(SELECT o.user_id FROM members o
    WHERE o.conversation_id = m.conversation_id AND o.user_id <> m.user_id) AS others
FROM members m WHERE m.user_id = $1 AND m.frozen_at = $2";

#[derive(FromRow)]
struct HiddenRow {
    conversation_id: Uuid,
    delivered_seq: i64,
    read_seq: i64,
    others: Vec<Uuid>,
}

impl Database {
    /// Stores when these users were last here: each so long ago.
    pub async fn saw(&self, seen: &[(UserId, Duration)]) -> Result<(), DatabaseError> {
        let ids: Vec<Uuid> = seen.iter().map(|(user, _)| user.0).collect();
        let ago = |duration: Duration| i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        let ages: Vec<i64> = seen.iter().map(|(_, duration)| ago(*duration)).collect();
        sqlx::query(SAW).bind(ids).bind(ages).execute(&self.pool).await.map(drop).doing("store who was seen")
    }

    /// Stores the choice of a user; none when there is no such user. `seen`:
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
            .doing("set the visibility")?;
        Ok(visibility.map(|number| Visibility(from_bigint(number))))
    }

    /// Where the user got while this was the choice, and others were not shown.
    pub async fn hidden_positions(
        &self,
        user: UserId,
        choice: Visibility,
    ) -> Result<Vec<Hidden>, DatabaseError> {
        let rows: Vec<HiddenRow> = sqlx::query_as(HIDDEN)
            .bind(user.0)
            .bind(to_bigint(choice.0))
            .fetch_all(&self.pool)
            .await
            .doing("read hidden positions")?;
        Ok(rows.into_iter().map(|row| row.into_hidden(user)).collect())
    }
}

impl HiddenRow {
    fn into_hidden(self, user: UserId) -> Hidden {
        Hidden {
            position: Position {
                conversation: ConversationId(self.conversation_id),
                user,
                delivered: from_bigint(self.delivered_seq),
                read: from_bigint(self.read_seq),
            },
            others: self.others.into_iter().map(UserId).collect(),
        }
    }
}
