use std::collections::HashMap;
use std::time::Duration;

use sqlx::postgres::types::PgInterval;
use sqlx::{FromRow, PgConnection};
use uuid::Uuid;

use super::gather::Question;
use super::{Database, DatabaseError, Doing, from_bigint};
use crate::domain::{Name, SessionId, UserId, Visibility};
use crate::protocol::User;

/// A session that is open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    pub user: User,
    /// The normal form of the name.
    pub name_key: String,
    pub has_password: bool,
    pub visibility: Visibility,
    /// Until it ends, to the second.
    pub remains: Duration,
}

/// What became of asking for a new name.
#[derive(Debug, PartialEq, Eq)]
pub enum Claim {
    /// The name is the caller's, and the session is open.
    New(User),
    /// Somebody has this name, or one that looks the same.
    Taken,
}

/// A statement that begins sessions: for each it clears away two that have
/// expired. So the table never holds many, and no timer is needed.
macro_rules! beginning {
    ($count:literal, $rest:literal) => {
        concat!(
            "
WITH expired AS (
    SELECT token_hash FROM sessions WHERE expires_at < now() ORDER BY expires_at
    LIMIT 2 * ",
            $count,
            " FOR UPDATE SKIP LOCKED
), purged AS (
    DELETE FROM sessions WHERE token_hash IN (SELECT token_hash FROM expired)
)",
            $rest
        )
    };
}

const INSERT: &str =
    beginning!("1", "INSERT INTO sessions (token_hash, user_id, expires_at) VALUES ($1, $2, now() + $3)");

// Nobody waits long here: of those who claim one name at once, one inserts and
// the others find the row when that one has committed, or is in the same
// statement. In the order of the names, so that two servers do not wait for each other.
const CLAIM: &str = beginning!(
    "cardinality($1::bytea[])",
    ", asked AS MATERIALIZED (
    SELECT * FROM unnest($1::bytea[], $2::uuid[], $3::interval[], $4::text[], $5::text[], $6::text[], $7::text[])
        AS a (token_hash, user_id, ttl, name, name_key, look_alike, password_hash)
), claimed AS (
    INSERT INTO users (id, name, name_key, look_alike, password_hash)
    SELECT user_id, name, name_key, look_alike, password_hash FROM asked ORDER BY name_key
    ON CONFLICT DO NOTHING RETURNING id
)
INSERT INTO sessions (token_hash, user_id, expires_at)
SELECT token_hash, user_id, now() + ttl FROM asked JOIN claimed ON id = user_id RETURNING user_id"
);

const FIND: &str = "
SELECT s.token_hash, u.id, u.name, u.name_key, u.visibility, u.password_hash IS NOT NULL AS has_password,
    extract(epoch FROM s.expires_at - now())::bigint AS remains
FROM sessions s JOIN users u ON u.id = s.user_id WHERE s.token_hash = ANY($1) AND s.expires_at > now()";

const EXTEND: &str =
    "UPDATE sessions SET expires_at = now() + $2 WHERE token_hash = $1 AND expires_at > now()";

const DELETE: &str = "DELETE FROM sessions WHERE token_hash = $1";

const DELETE_OTHERS: &str = "DELETE FROM sessions WHERE user_id = $1 AND token_hash <> $2";

#[derive(FromRow)]
struct SessionRow {
    token_hash: Vec<u8>,
    id: Uuid,
    name: String,
    name_key: String,
    visibility: i64,
    has_password: bool,
    /// Seconds.
    remains: i64,
}

/// Somebody new, and the session to open for them.
pub(super) struct NewUser {
    user: User,
    name_key: String,
    look_alike: String,
    password_hash: Option<String>,
    session: SessionId,
    ttl: Duration,
}

impl Question for NewUser {
    /// Whether the name was free.
    type Answer = bool;
    const DOING: &'static str = "claim a name";
    const MOST: usize = 64;

    async fn ask(connection: &mut PgConnection, claims: &[Self]) -> Result<Vec<bool>, sqlx::Error> {
        let column = |of: fn(&Self) -> &str| claims.iter().map(of).collect::<Vec<_>>();
        let new: Vec<Uuid> = sqlx::query_scalar(CLAIM)
            .bind(claims.iter().map(|claim| &claim.session.0[..]).collect::<Vec<_>>())
            .bind(claims.iter().map(|claim| claim.user.id.0).collect::<Vec<_>>())
            .bind(claims.iter().map(|claim| interval(claim.ttl)).collect::<Vec<_>>())
            .bind(column(|claim| &claim.user.name))
            .bind(column(|claim| &claim.name_key))
            .bind(column(|claim| &claim.look_alike))
            .bind(claims.iter().map(|claim| claim.password_hash.as_deref()).collect::<Vec<_>>())
            .fetch_all(connection)
            .await?;
        Ok(claims.iter().map(|claim| new.contains(&claim.user.id.0)).collect())
    }
}

/// Whose session it is.
pub(super) struct WhoseSession(SessionId);

impl Question for WhoseSession {
    type Answer = Option<Held>;
    const DOING: &'static str = "find a session";
    const MOST: usize = 256;

    async fn ask(connection: &mut PgConnection, sessions: &[Self]) -> Result<Vec<Self::Answer>, sqlx::Error> {
        let hashes: Vec<&[u8]> = sessions.iter().map(|session| &session.0.0[..]).collect();
        let rows: Vec<SessionRow> = sqlx::query_as(FIND).bind(&hashes).fetch_all(connection).await?;
        let found: HashMap<&[u8], &SessionRow> = rows.iter().map(|row| (&row.token_hash[..], row)).collect();
        Ok(hashes.iter().map(|hash| found.get(hash).map(|row| row.held())).collect())
    }
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
        let claim = NewUser {
            user: user.clone(),
            name_key: name.key(),
            look_alike: name.look_alike(),
            password_hash: password_hash.map(str::to_owned),
            session,
            ttl,
        };
        Ok(if self.claims.ask(claim).await? { Claim::New(user) } else { Claim::Taken })
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

    /// Whose session it is; none when it is unknown, ended or expired.
    pub async fn session(&self, session: SessionId) -> Result<Option<Held>, DatabaseError> {
        self.sessions.ask(WhoseSession(session)).await
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
    fn held(&self) -> Held {
        Held {
            user: User { id: UserId(self.id), name: self.name.clone() },
            name_key: self.name_key.clone(),
            has_password: self.has_password,
            visibility: Visibility(from_bigint(self.visibility)),
            remains: Duration::from_secs(from_bigint(self.remains)),
        }
    }
}

/// In whole microseconds, which is all that PostgreSQL keeps.
fn interval(duration: Duration) -> PgInterval {
    let microseconds = i64::try_from(duration.as_micros()).unwrap_or(i64::MAX);
    PgInterval { months: 0, days: 0, microseconds }
}
