//! The identity of the database, and whether its settings are durable.

use serde::Serialize;
use uuid::Uuid;

use super::{Context, Database, DatabaseError};
use crate::domain::ServerKey;

/// A setting of PostgreSQL under which what is committed can be lost.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DurabilityWarning {
    /// The PostgreSQL setting.
    pub setting: String,
    /// A sentence for the operator.
    pub message: String,
}

/// Begins a new epoch if there is none, or if this is another cluster or a
/// cluster restored to an earlier point (which begins a new timeline).
const RENEW_EPOCH: &str = "
INSERT INTO epoch (id, system_identifier, timeline)
SELECT $1, s.system_identifier, c.timeline_id FROM pg_control_system() s, pg_control_checkpoint() c
ON CONFLICT (single) DO UPDATE
SET id = excluded.id, system_identifier = excluded.system_identifier, timeline = excluded.timeline
WHERE (epoch.system_identifier, epoch.timeline) <> (excluded.system_identifier, excluded.timeline)";

const EPOCH: &str = "SELECT id FROM epoch";

const OFFER_KEY: &str = "INSERT INTO server_key (secret) VALUES ($1) ON CONFLICT DO NOTHING";

const KEY: &str = "SELECT secret FROM server_key";

const DURABILITY: &str = "
SELECT name FROM pg_settings
WHERE name IN ('fsync', 'full_page_writes', 'synchronous_commit') AND setting = 'off' ORDER BY name";

impl Database {
    /// Returns the id of the history that the database holds; a new one if it is not
    /// the history that the stored id belongs to.
    pub async fn epoch(&self) -> Result<Uuid, DatabaseError> {
        let context = "determine the epoch";
        sqlx::query(RENEW_EPOCH).bind(Uuid::now_v7()).execute(&self.pool).await.context(context)?;
        sqlx::query_scalar(EPOCH).fetch_one(&self.pool).await.context(context)
    }

    /// Returns the key that this database keeps, generated if there was none, and read
    /// only once. All servers on one database have the same.
    pub async fn server_key(&self) -> Result<&ServerKey, DatabaseError> {
        let context = "keep the key of derived ids";
        let read = async || {
            sqlx::query(OFFER_KEY)
                .bind(ServerKey::generate().bytes())
                .execute(&self.pool)
                .await
                .context(context)?;
            sqlx::query_scalar(KEY).fetch_one(&self.pool).await.map(ServerKey::new).context(context)
        };
        self.key.get_or_try_init(read).await
    }

    /// Returns the settings under which a commit can be lost.
    pub async fn durability(&self) -> Result<Vec<DurabilityWarning>, DatabaseError> {
        let off: Vec<String> =
            sqlx::query_scalar(DURABILITY).fetch_all(&self.pool).await.context("check the durability")?;
        Ok(off.into_iter().map(warning).collect())
    }
}

fn warning(setting: String) -> DurabilityWarning {
    let message = match setting.as_str() {
        // The writers' own connections have it on.
        "synchronous_commit" => "a crash of PostgreSQL can lose names and sessions, though no messages",
        "fsync" => "a crash of the machine can lose messages that were acknowledged and ruin the database",
        _ => "a crash of the machine can ruin the database",
    };
    DurabilityWarning { message: format!("PostgreSQL runs with {setting} = off: {message}."), setting }
}
