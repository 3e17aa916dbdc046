use std::time::Duration;

use sqlx::postgres::types::PgInterval;
use sqlx::{FromRow, PgConnection};
use uuid::Uuid;

use super::{Database, DatabaseError, Doing, from_bigint};
use crate::domain::{SessionId, UserId, Visibility};
use crate::protocol::User;

/// Whose session it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    pub user: User,
    /// The normal form of the name.
    pub name_key: String,
    pub has_password: bool,
    pub visibility: Visibility,
    pub kept: Kept,
}

/// Whether a session's end is as far away as it could be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    Fresh,
    /// Its end can be put off by more than a day: see [`Database::extend_session`].
    Extensible,
}

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

// Every session that begins clears away two that have expired: the table never
// holds many, and no timer is needed.
const INSERT: &str = "
WITH expired AS (
    SELECT token_hash FROM sessions WHERE expires_at < now() ORDER BY expires_at LIMIT 2 FOR UPDATE SKIP LOCKED
), purged AS (
    DELETE FROM sessions WHERE token_hash IN (SELECT token_hash FROM expired)
)
INSERT INTO sessions (token_hash, user_id, expires_at) VALUES ($1, $2, now() + $3)";

const FIND: &str = "
SELECT u.id, u.name, u.name_key, u.visibility, u.password_hash IS NOT NULL AS has_password,
    s.expires_at < now() + $2 AS extensible
FROM sessions s JOIN users u ON u.id = s.user_id WHERE s.token_hash = $1 AND s.expires_at > now()";

const EXTEND: &str =
    "UPDATE sessions SET expires_at = now() + $2 WHERE token_hash = $1 AND expires_at > now()";

const DELETE: &str = "DELETE FROM sessions WHERE token_hash = $1";

const DELETE_OTHERS: &str = "DELETE FROM sessions WHERE user_id = $1 AND token_hash <> $2";

#[derive(FromRow)]
struct SessionRow {
    id: Uuid,
    name: String,
    name_key: String,
    visibility: i64,
    has_password: bool,
    extensible: bool,
}

impl Database {
    /// Opens a session of the user for `ttl`.
    pub async fn open_session(
        &self,
        session: SessionId,
        user: UserId,
        ttl: Duration,
    ) -> Result<(), DatabaseError> {
        let doing = "open a session";
        let mut connection = self.pool.acquire().await.doing(doing)?;
        insert_session(&mut connection, session, user, ttl).await.doing(doing)
    }

    /// Whose session it is; none when it is unknown, ended or expired. `ttl` is
    /// how long a session is kept since its last use, to the day.
    pub async fn session(&self, session: SessionId, ttl: Duration) -> Result<Option<Held>, DatabaseError> {
        let row: Option<SessionRow> = sqlx::query_as(FIND)
            .bind(&session.0[..])
            .bind(interval(ttl.saturating_sub(DAY)))
            .fetch_optional(&self.pool)
            .await
            .doing("find a session")?;
        Ok(row.map(SessionRow::into_held))
    }

    /// Puts the end of a session off to `ttl` from now.
    pub async fn extend_session(&self, session: SessionId, ttl: Duration) -> Result<(), DatabaseError> {
        sqlx::query(EXTEND)
            .bind(&session.0[..])
            .bind(interval(ttl))
            .execute(&self.pool)
            .await
            .map(drop)
            .doing("extend a session")
    }

    /// Ends a session; one that is not there has ended already.
    pub async fn end_session(&self, session: SessionId) -> Result<(), DatabaseError> {
        sqlx::query(DELETE).bind(&session.0[..]).execute(&self.pool).await.map(drop).doing("end a session")
    }
}

pub(super) async fn insert_session(
    connection: &mut PgConnection,
    session: SessionId,
    user: UserId,
    ttl: Duration,
) -> Result<(), sqlx::Error> {
    sqlx::query(INSERT)
        .bind(&session.0[..])
        .bind(user.0)
        .bind(interval(ttl))
        .execute(connection)
        .await
        .map(drop)
}

pub(super) async fn delete_others(
    connection: &mut PgConnection,
    user: UserId,
    keep: SessionId,
) -> Result<(), sqlx::Error> {
    sqlx::query(DELETE_OTHERS).bind(user.0).bind(&keep.0[..]).execute(connection).await.map(drop)
}

impl SessionRow {
    fn into_held(self) -> Held {
        Held {
            user: User { id: UserId(self.id), name: self.name },
            name_key: self.name_key,
            has_password: self.has_password,
            visibility: Visibility(from_bigint(self.visibility)),
            kept: if self.extensible { Kept::Extensible } else { Kept::Fresh },
        }
    }
}

/// In whole microseconds, which is all that PostgreSQL keeps.
fn interval(duration: Duration) -> PgInterval {
    let microseconds = i64::try_from(duration.as_micros()).unwrap_or(i64::MAX);
    PgInterval { months: 0, days: 0, microseconds }
}
