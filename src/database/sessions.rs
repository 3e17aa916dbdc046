use std::time::Duration;

use sqlx::postgres::types::PgInterval;
use sqlx::{FromRow, PgConnection};
use uuid::Uuid;

use super::{Database, DatabaseError, Doing, from_bigint};
use crate::domain::{Name, SessionId, UserId, Visibility};
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

/// What became of asking for a new name.
#[derive(Debug, PartialEq, Eq)]
pub enum Claim {
    /// The name is the caller's, and the session is open.
    New(User),
    /// Somebody has this name, or one that looks the same.
    Taken,
}

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// A statement that begins a session: it clears away two that have expired. So
/// the table never holds many, and no timer is needed.
macro_rules! beginning {
    ($rest:literal) => {
        concat!(
            "
WITH expired AS (
    SELECT token_hash FROM sessions WHERE expires_at < now() ORDER BY expires_at LIMIT 2 FOR UPDATE SKIP LOCKED
), purged AS (
    DELETE FROM sessions WHERE token_hash IN (SELECT token_hash FROM expired)
)",
            $rest
        )
    };
}

const INSERT: &str =
    beginning!("INSERT INTO sessions (token_hash, user_id, expires_at) VALUES ($1, $2, now() + $3)");

// Nobody waits long here: of those who claim one name at once, one inserts and
// the others find the row when that one has committed.
const CLAIM: &str = beginning!(
    ", claimed AS (
    INSERT INTO users (id, name, name_key, look_alike, password_hash) VALUES ($2, $4, $5, $6, $7)
    ON CONFLICT DO NOTHING RETURNING id
)
INSERT INTO sessions (token_hash, user_id, expires_at) SELECT $1, id, now() + $3 FROM claimed"
);

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
    /// Gives `name` to a new user and opens the session `session` for them, both
    /// or neither. Exactly one of any number of callers gets the name.
    pub async fn claim(
        &self,
        name: &Name,
        password_hash: Option<&str>,
        session: SessionId,
        ttl: Duration,
    ) -> Result<Claim, DatabaseError> {
        let user = User { id: UserId::fresh(), name: name.as_str().to_owned() };
        let begun = sqlx::query(CLAIM)
            .bind(&session.0[..])
            .bind(user.id.0)
            .bind(interval(ttl))
            .bind(name.as_str())
            .bind(name.key())
            .bind(name.look_alike())
            .bind(password_hash)
            .execute(&self.pool)
            .await
            .doing("claim a name")?;
        Ok(if begun.rows_affected() == 0 { Claim::Taken } else { Claim::New(user) })
    }

    /// Opens a session of the user for `ttl`.
    pub async fn open_session(
        &self,
        session: SessionId,
        user: UserId,
        ttl: Duration,
    ) -> Result<(), DatabaseError> {
        sqlx::query(INSERT)
            .bind(&session.0[..])
            .bind(user.0)
            .bind(interval(ttl))
            .execute(&self.pool)
            .await
            .map(drop)
            .doing("open a session")
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
