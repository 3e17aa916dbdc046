//! PostgreSQL: nothing else in the crate has SQL. One file per table or two,
//! each statement exercised by a test on a real database.

mod append;
mod conversations;
mod error;
mod fault;
mod gather;
mod history;
mod log;
mod presence;
mod push;
mod sessions;
mod state;
mod users;

use std::io;
use std::str::FromStr;
use std::time::Duration;

use sqlx::pool::PoolConnectionMetadata;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions, Connection, PgConnection, PgPool};
use tokio::time::timeout;

pub use conversations::{DirectPair, ListCursor};
pub use error::{DatabaseError, Doing};
pub use fault::Fault;
pub use gather::{Gather, Question};
pub use history::{Page, Replay};
pub use log::{Appended, Log, Moved, NewEvent, Place, Position};
pub use presence::Hidden;
pub use push::{DuePush, Missed, PushTarget, Scalar};
pub use sessions::{Claim, Held};
pub use state::Warning;
pub use users::{Account, Found};

use crate::config::Config;
use crate::domain::Seq;
use crate::protocol::UNREAD_MAX;
use history::Missing;
use sessions::{NewUser, WhoseSession};

/// Settings of every connection of the pool. A statement stuck behind a lock
/// does not hold its connection for ever; compiling a statement can take seconds
/// where running it takes milliseconds; and planning it for each run takes longer
/// than the run. A plan for small tables goes when PostgreSQL has analysed them as
/// large ones, and with the connection, after half an hour.
const SESSION_SETTINGS: [(&str, &str); 3] =
    [("statement_timeout", "10s"), ("jit", "off"), ("plan_cache_mode", "force_generic_plan")];

/// How long a connection that is given back to the pool is believed to be in
/// order: who asks just when PostgreSQL goes away may be told so.
const FRESH_FOR: Duration = Duration::from_millis(100);

/// The connections of reads and of everything that is not a message. Cheap to
/// clone; all clones share the pool.
#[derive(Clone)]
pub struct Database {
    pool: PgPool,
    options: PgConnectOptions,
    /// What everybody asks who comes or comes back.
    claims: Gather<NewUser>,
    sessions: Gather<WhoseSession>,
    replays: Gather<Missing>,
}

impl Database {
    /// Connects to `url` once, to fail early; the pool fills when needed.
    pub async fn connect(url: &str, config: &Config) -> Result<Self, DatabaseError> {
        let options = PgConnectOptions::from_str(url).doing("read DATABASE_URL")?.application_name("tidings");
        let pooled = options.clone().options(SESSION_SETTINGS);
        // Not the pool: it tries until its time is over, and that is all it says.
        reach(&pooled, config.pool_timeout).await.map_err(|source| {
            let given = config.database_url.is_some();
            let database = if given { "the database of DATABASE_URL" } else { "the private PostgreSQL" };
            DatabaseError::Unreachable { database, source: source.into() }
        })?;
        let pool = PgPoolOptions::new()
            .max_connections(config.pool_size)
            .acquire_timeout(config.pool_timeout)
            .test_before_acquire(false)
            .before_acquire(|connection, known| Box::pin(test_if_old(connection, known)))
            .connect_lazy_with(pooled);
        let patience = config.pool_timeout;
        Ok(Self {
            claims: Gather::new(pool.clone(), patience),
            sessions: Gather::new(pool.clone(), patience),
            replays: Gather::new(pool.clone(), patience),
            pool,
            options,
        })
    }

    /// Brings the schema up to date. Takes its own lock: several servers may
    /// start at once.
    pub async fn migrate(&self) -> Result<(), DatabaseError> {
        // A connection of its own: a migration may take longer than a statement.
        let mut connection = self.options.connect().await.doing("connect to migrate")?;
        sqlx::migrate!().run(&mut connection).await.map_err(sqlx::Error::from).doing("migrate")?;
        connection.close().await.doing("close the migrating connection")
    }

    /// How to reach this database over a connection that is not of the pool.
    pub fn options(&self) -> &PgConnectOptions {
        &self.options
    }

    /// Waits for what is running, then closes every connection.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

/// A connection that was given back just now was found in order then; to ask
/// again takes as long as what most come for.
async fn test_if_old(
    connection: &mut PgConnection,
    known: PoolConnectionMetadata,
) -> Result<bool, sqlx::Error> {
    if known.idle_for > FRESH_FOR {
        connection.ping().await?;
    }
    Ok(true)
}

/// Connects once.
async fn reach(options: &PgConnectOptions, within: Duration) -> Result<(), sqlx::Error> {
    let connection = timeout(within, options.connect()).await.unwrap_or_else(|_| {
        let late = io::Error::new(io::ErrorKind::TimedOut, "no answer in time");
        Err(sqlx::Error::Io(late))
    })?;
    connection.close().await
}

/// How many of the newest messages are looked at for an unread count: own ones
/// among them do not count.
const UNREAD_SCAN: i64 = 2 * UNREAD_MAX as i64;

/// A place in a log as PostgreSQL holds it; what is beyond every log stays so.
fn to_bigint(seq: Seq) -> i64 {
    i64::try_from(seq).unwrap_or(i64::MAX)
}

/// Constraints keep these columns from being negative.
fn from_bigint(seq: i64) -> Seq {
    u64::try_from(seq).unwrap_or(0)
}
