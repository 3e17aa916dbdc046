use std::collections::HashMap;
use std::time::Duration;

use sqlx::PgConnection;
use sqlx::postgres::types::PgInterval;
use time::{Date, OffsetDateTime, UtcOffset};
use uuid::Uuid;

use super::query_batcher::BatchQuery;
use super::row::row;
use super::{Context, Database, DatabaseError, from_bigint};
use crate::config::Config;
use crate::domain::{Agent, SessionId, TokenHash, UserId, Visibility};
use crate::protocol::User;

/// A live session, as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveSession {
    pub session: SessionId,
    pub user: User,
    pub has_password: bool,
    pub visibility: Visibility,
    /// Until it ends, to the second.
    pub remains: Duration,
    /// Since it began, to the second.
    pub age: Duration,
    /// Whether it is stored that it was used today (UTC).
    pub used_today: bool,
}

/// A session in the list that its user sees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedSession {
    pub session: SessionId,
    pub created: OffsetDateTime,
    /// The day on which it was last used (UTC).
    pub used: Date,
    pub agent: Agent,
}

/// A session to be opened.
#[derive(Clone, Debug)]
pub struct NewSession {
    pub token: TokenHash,
    /// How long it lasts without being used.
    pub ttl: Duration,
    /// The program that logs in.
    pub agent: Agent,
}

impl NewSession {
    pub fn new(token: TokenHash, ttl: Duration) -> Self {
        Self { token, ttl, agent: Agent::default() }
    }
}

/// Why a caller may open another session of an existing user. It must still hold
/// at the moment when the session begins.
#[derive(Clone, Copy, Debug)]
pub enum Proof<'a> {
    /// The password was verified against this hash.
    Password(&'a str),
    /// The caller is in this session of the user.
    Session(SessionId),
}

/// How long sessions last.
#[derive(Clone, Copy, Debug)]
pub struct Lifetime {
    /// Without being used.
    pub ttl: Duration,
    /// In all.
    pub max: Duration,
}

impl Lifetime {
    pub fn configured(config: &Config) -> Self {
        Self { ttl: config.session_ttl.min(config.session_max), max: config.session_max }
    }
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

// Locks the user's row against a change of the password. A change that is under way
// is waited for, and then the hash differs; a later one finds this session and ends it.
const OPEN_BY_PASSWORD: &str = beginning!(
    "1",
    "
INSERT INTO sessions (token_hash, user_id, expires_at, browser, system)
SELECT $1, id, now() + $3, $4, $5 FROM users WHERE id = $2 AND password_hash = $6 FOR SHARE"
);

// The same against an end of the caller's session: users before sessions, as all do.
const OPEN_BY_SESSION: &str = beginning!(
    "1",
    ", owner AS MATERIALIZED (
    SELECT id FROM users WHERE id = $2 FOR SHARE
), held AS MATERIALIZED (
    SELECT s.user_id FROM sessions s JOIN owner ON owner.id = s.user_id
    WHERE s.id = $6 AND s.expires_at > now() FOR KEY SHARE OF s
)
INSERT INTO sessions (token_hash, user_id, expires_at, browser, system)
SELECT $1, user_id, now() + $3, $4, $5 FROM held"
);

pub(super) use beginning;

/// Days are those of UTC, whatever the connection's time zone.
macro_rules! used_today {
    () => {
        "(used_at AT TIME ZONE 'UTC')::date = (now() AT TIME ZONE 'UTC')::date"
    };
}

const FIND: &str = concat!(
    "
SELECT s.token_hash, s.id AS session, u.id, u.name, u.visibility,
    u.password_hash IS NOT NULL AS has_password, ",
    used_today!(),
    " AS used_today, extract(epoch FROM s.expires_at - now())::bigint AS remains,
    extract(epoch FROM now() - s.created_at)::bigint AS age
FROM sessions s JOIN users u ON u.id = s.user_id WHERE s.token_hash = ANY($1) AND s.expires_at > now()"
);

const EXTEND: &str = "
UPDATE sessions SET used_at = now(), expires_at = LEAST(now() + $2, created_at + $3)
WHERE id = $1 AND expires_at > now()";

const USE: &str = concat!(
    "
UPDATE sessions SET used_at = now(), expires_at = LEAST(now() + $2, created_at + $3)
WHERE id = ANY($1) AND expires_at > now() AND NOT (",
    used_today!(),
    ")"
);

const LIVE: &str = "
SELECT s.id, u.visibility FROM sessions s JOIN users u ON u.id = s.user_id
WHERE s.id = ANY($1) AND s.expires_at > now()";

// The session used last first; bounded by how often one may log in a day.
const OF_USER: &str = "
SELECT id, created_at, used_at, browser, system FROM sessions
WHERE user_id = $1 AND expires_at > now() ORDER BY used_at DESC, created_at DESC LIMIT $2";

const DELETE: &str = "DELETE FROM sessions WHERE user_id = $1 AND id = $2";

const LOCK_USER: &str = "SELECT FROM users WHERE id = $1 FOR NO KEY UPDATE";

const DELETE_ALL: &str = "DELETE FROM sessions WHERE user_id = $1";

const DELETE_OTHERS: &str = "DELETE FROM sessions WHERE user_id = $1 AND id <> $2";

const RENEW: &str =
    "UPDATE sessions SET token_hash = $3 WHERE user_id = $1 AND id = $2 AND expires_at > now()";

row! {
    struct SessionRow {
        token_hash: Vec<u8>,
        session: [u8; 32],
        id: Uuid,
        name: String,
        visibility: i64,
        has_password: bool,
        used_today: bool,
        /// Seconds.
        remains: i64,
        /// Seconds.
        age: i64,
    }
}

row! {
    struct ListedRow {
        id: [u8; 32],
        created_at: OffsetDateTime,
        used_at: OffsetDateTime,
        browser: Option<String>,
        system: Option<String>,
    }
}

/// Finds a session by its token.
pub(super) struct SessionQuery(TokenHash);

impl BatchQuery for SessionQuery {
    type Output = Option<LiveSession>;
    const CONTEXT: &'static str = "find a session";
    const MAX_BATCH: usize = 256;

    async fn run(connection: &mut PgConnection, sessions: &[Self]) -> Result<Vec<Self::Output>, sqlx::Error> {
        let hashes: Vec<&[u8]> = sessions.iter().map(|session| &session.0.0[..]).collect();
        let rows: Vec<SessionRow> = sqlx::query_as(FIND).bind(&hashes).fetch_all(connection).await?;
        let found: HashMap<&[u8], &SessionRow> = rows.iter().map(|row| (&row.token_hash[..], row)).collect();
        Ok(hashes.iter().map(|hash| found.get(hash).map(|row| row.live_session())).collect())
    }
}

impl Database {
    /// Opens another session of the user. Returns `false` if the proof no longer holds.
    pub async fn open_session(
        &self,
        session: &NewSession,
        user: UserId,
        proof: Proof<'_>,
    ) -> Result<bool, DatabaseError> {
        let statement = match proof {
            Proof::Password(_) => sqlx::query(OPEN_BY_PASSWORD),
            Proof::Session(_) => sqlx::query(OPEN_BY_SESSION),
        };
        let statement = statement
            .bind(&session.token.0[..])
            .bind(user.0)
            .bind(interval(session.ttl))
            .bind(session.agent.browser.as_deref())
            .bind(session.agent.system.as_deref());
        let statement = match proof {
            Proof::Password(hash) => statement.bind(hash.to_owned()),
            Proof::Session(session) => statement.bind(session.0),
        };
        let opened = statement.execute(&self.pool).await.context("open a session")?;
        Ok(opened.rows_affected() == 1)
    }

    /// Returns the session, or `None` if it is unknown, ended or expired.
    pub async fn session(&self, token: TokenHash) -> Result<Option<LiveSession>, DatabaseError> {
        self.sessions.run(SessionQuery(token)).await
    }

    /// Records that a session is used, which extends it.
    pub async fn extend_session(&self, session: SessionId, lifetime: Lifetime) -> Result<(), DatabaseError> {
        sqlx::query(EXTEND)
            .bind(session.0)
            .bind(interval(lifetime.ttl))
            .bind(interval(lifetime.max))
            .execute(&self.pool)
            .await
            .map(drop)
            .context("extend a session")
    }

    /// Returns those of the sessions that are still open, with their users' visibility.
    pub async fn live_sessions(
        &self,
        sessions: &[SessionId],
    ) -> Result<HashMap<SessionId, Visibility>, DatabaseError> {
        let rows: Vec<([u8; 32], i64)> = sqlx::query_as(LIVE)
            .bind(bytes_of(sessions))
            .fetch_all(&self.pool)
            .await
            .context("look at sessions")?;
        let live = |(id, visibility)| (SessionId(id), Visibility::from_version(from_bigint(visibility)));
        Ok(rows.into_iter().map(live).collect())
    }

    /// Records that these sessions are used today, unless that is stored already.
    pub async fn use_sessions(
        &self,
        sessions: &[SessionId],
        lifetime: Lifetime,
    ) -> Result<(), DatabaseError> {
        sqlx::query(USE)
            .bind(bytes_of(sessions))
            .bind(interval(lifetime.ttl))
            .bind(interval(lifetime.max))
            .execute(&self.pool)
            .await
            .map(drop)
            .context("extend sessions")
    }

    /// Returns the user's open sessions, up to `limit`, the last used first.
    pub async fn sessions_of(&self, user: UserId, limit: u32) -> Result<Vec<ListedSession>, DatabaseError> {
        let rows: Vec<ListedRow> = sqlx::query_as(OF_USER)
            .bind(user.0)
            .bind(i64::from(limit))
            .fetch_all(&self.pool)
            .await
            .context("list sessions")?;
        Ok(rows.into_iter().map(ListedRow::into_listed).collect())
    }

    /// Ends a session of the user. Returns `false` if there is none with this id.
    pub async fn end_session(&self, user: UserId, session: SessionId) -> Result<bool, DatabaseError> {
        let ended = sqlx::query(DELETE).bind(user.0).bind(session.0).execute(&self.pool).await;
        Ok(ended.context("end a session")?.rows_affected() > 0)
    }

    /// Ends every session of the user, including those that one of them is just
    /// opening.
    pub async fn end_sessions(&self, user: UserId) -> Result<(), DatabaseError> {
        let context = "end all sessions of a user";
        let mut transaction = self.pool.begin().await.context(context)?;
        sqlx::query(LOCK_USER).bind(user.0).execute(&mut *transaction).await.context(context)?;
        sqlx::query(DELETE_ALL).bind(user.0).execute(&mut *transaction).await.context(context)?;
        transaction.commit().await.context(context)
    }
}

/// Ends all of the user's sessions except `keep`, which gets a new secret. Returns
/// `false` if `keep` has ended.
pub(super) async fn renew_and_end_others(
    connection: &mut PgConnection,
    user: UserId,
    keep: SessionId,
    token: TokenHash,
) -> Result<bool, sqlx::Error> {
    sqlx::query(DELETE_OTHERS).bind(user.0).bind(keep.0).execute(&mut *connection).await?;
    let renewed = sqlx::query(RENEW).bind(user.0).bind(keep.0).bind(&token.0[..]).execute(connection).await?;
    Ok(renewed.rows_affected() == 1)
}

impl SessionRow {
    fn live_session(&self) -> LiveSession {
        LiveSession {
            session: SessionId(self.session),
            user: User { id: UserId(self.id), name: self.name.clone() },
            has_password: self.has_password,
            visibility: Visibility::from_version(from_bigint(self.visibility)),
            remains: Duration::from_secs(from_bigint(self.remains)),
            age: Duration::from_secs(from_bigint(self.age)),
            used_today: self.used_today,
        }
    }
}

impl ListedRow {
    fn into_listed(self) -> ListedSession {
        ListedSession {
            session: SessionId(self.id),
            created: self.created_at,
            used: self.used_at.to_offset(UtcOffset::UTC).date(),
            agent: Agent { browser: self.browser, system: self.system },
        }
    }
}

fn bytes_of(sessions: &[SessionId]) -> Vec<&[u8]> {
    sessions.iter().map(|session| &session.0[..]).collect()
}

/// In whole microseconds, which is all that PostgreSQL keeps.
pub(super) fn interval(duration: Duration) -> PgInterval {
    let microseconds = i64::try_from(duration.as_micros()).unwrap_or(i64::MAX);
    PgInterval { months: 0, days: 0, microseconds }
}
