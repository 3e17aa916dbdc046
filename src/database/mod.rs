//! All SQL of the server. One file for each table or two,
//! each statement exercised by a test on a real database.

mod append;
mod append_any;
mod appended;
mod claims;
mod conversations;
mod epoch;
mod error;
mod fair_queue;
mod fragments;
mod group_members;
mod history;
mod log;
mod migrations;
mod names;
mod position;
mod presence;
mod probe;
mod push;
mod query_batcher;
mod replay;
mod requirements;
mod row;
mod sessions;
mod upgrades;
mod users;
mod write_error;

use std::io;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use sqlx::pool::PoolConnectionMetadata;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions, Connection, PgConnection, PgPool};
use tokio::sync::OnceCell;
use tokio::time::timeout;

pub use appended::{AppendOutcome, Appended, NewEvent};
pub use claims::Claim;
pub use conversations::ListCursor;
pub use epoch::DurabilityWarning;
pub use error::{Context, DatabaseError};
pub use history::{HistoryFilter, HistoryRange};
pub use log::Log;
pub use position::{Position, PositionChange};
pub use presence::WithheldReceipt;
pub use push::{DuePush, PushCandidate, PushSubscription, VapidKey};
pub use query_batcher::{BatchQuery, QueryBatcher};
pub use replay::{LogRange, Missing, REPLAY_PAGE_BYTES, ReplayedEvent};
pub use sessions::{Lifetime, ListedSession, LiveSession, NewSession, Proof};
pub use users::{Account, PasswordChange, UserMatch};
pub use write_error::WriteError;

use crate::config::Config;
use crate::domain::{Seq, ServerKey};
use crate::protocol::UNREAD_MAX;
use claims::ClaimQuery;
use replay::{MissingQuery, ReplayPageQuery};
use requirements::Requirements;
use sessions::SessionQuery;

/// Settings of every connection of the pool. A statement stuck behind a lock
/// does not hold its connection for ever; compiling a statement can take seconds
/// where running it takes milliseconds; and planning it for each run takes longer
/// than the run. A plan for small tables goes when PostgreSQL has analysed them as
/// large ones, and with the connection, after half an hour.
const SESSION_SETTINGS: [(&str, &str); 3] =
    [("statement_timeout", "10s"), ("jit", "off"), ("plan_cache_mode", "force_generic_plan")];

/// How long a connection that was returned to the pool is assumed to be
/// healthy: a query just when PostgreSQL goes away may fail.
const FRESH_FOR: Duration = Duration::from_millis(100);

/// The pool for reads and for every write that is not a message. Cheap to
/// clone; all clones share the pool.
#[derive(Clone)]
pub struct Database {
    pool: PgPool,
    options: PgConnectOptions,
    /// As in the settings.
    page_bytes: usize,
    /// Read when it is needed first.
    key: Arc<OnceCell<ServerKey>>,
    /// The queries of every client that connects or reconnects.
    claims: QueryBatcher<ClaimQuery>,
    sessions: QueryBatcher<SessionQuery>,
    missing: QueryBatcher<MissingQuery>,
    pages: QueryBatcher<ReplayPageQuery>,
}

impl Database {
    /// Connects to `url` once, to fail early; the pool fills when needed.
    pub async fn connect(url: &str, config: &Config) -> Result<Self, DatabaseError> {
        let options =
            PgConnectOptions::from_str(url).context("read DATABASE_URL")?.application_name("tidings");
        let pooled = options.clone().options(SESSION_SETTINGS);
        let given = config.database_url.is_some();
        let database = if given { "the database of DATABASE_URL" } else { "the private PostgreSQL" };
        // Not the pool, which retries until its time-out and reports only that.
        let unreachable =
            |source: sqlx::Error| DatabaseError::Unreachable { database, source: source.into() };
        let found = reach(&options, config.pool_timeout).await.map_err(unreachable)?;
        if let Some(missing) = found.missing() {
            return Err(DatabaseError::Unfit { database, missing });
        }
        let pool = PgPoolOptions::new()
            .max_connections(config.pool_size)
            .acquire_timeout(config.pool_timeout)
            .test_before_acquire(false)
            .before_acquire(|connection, known| Box::pin(test_if_old(connection, known)))
            .connect_lazy_with(pooled);
        let turn_timeout = config.pool_timeout;
        Ok(Self {
            claims: QueryBatcher::new(pool.clone(), turn_timeout),
            sessions: QueryBatcher::new(pool.clone(), turn_timeout),
            missing: QueryBatcher::new(pool.clone(), turn_timeout),
            pages: QueryBatcher::new(pool.clone(), turn_timeout),
            pool,
            options,
            page_bytes: config.page_bytes,
            key: Arc::default(),
        })
    }

    /// Brings the schema up to date. Takes its own lock: several servers may
    /// start at once.
    pub async fn migrate(&self) -> Result<(), DatabaseError> {
        // A connection of its own: a migration may take longer than a statement.
        let mut connection = self.options.connect().await.context("connect to migrate")?;
        migrations::migrator().run(&mut connection).await.map_err(sqlx::Error::from).context("migrate")?;
        upgrades::run(&mut connection).await.context("bring older names up to date")?;
        connection.close().await.context("close the migrating connection")
    }

    /// How to open a connection to this database outside the pool.
    pub fn options(&self) -> &PgConnectOptions {
        &self.options
    }

    /// Waits for what is running, then closes every connection.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

/// A connection that was returned just now was healthy then; to ping it
/// takes as long as most queries.
async fn test_if_old(
    connection: &mut PgConnection,
    known: PoolConnectionMetadata,
) -> Result<bool, sqlx::Error> {
    if known.idle_for > FRESH_FOR {
        connection.ping().await?;
    }
    Ok(true)
}

/// Connects once, and checks the requirements.
async fn reach(options: &PgConnectOptions, within: Duration) -> Result<Requirements, sqlx::Error> {
    let looked = async {
        let mut connection = options.connect().await?;
        let found = Requirements::check(&mut connection).await?;
        connection.close().await?;
        Ok(found)
    };
    timeout(within, looked).await.unwrap_or_else(|_| {
        let late = io::Error::new(io::ErrorKind::TimedOut, "no answer in time");
        Err(sqlx::Error::Io(late))
    })
}

/// How many of the newest messages an unread count examines: own ones
/// among them do not count.
const UNREAD_SCAN: i64 = 2 * UNREAD_MAX as i64;

/// A number in a log as PostgreSQL stores it; one beyond every log stays so.
fn to_bigint(seq: Seq) -> i64 {
    i64::try_from(seq).unwrap_or(i64::MAX)
}

/// Constraints keep these columns from being negative.
fn from_bigint(seq: i64) -> Seq {
    u64::try_from(seq).unwrap_or(0)
}
