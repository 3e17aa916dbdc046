//! What the database is, and what it promises.

use serde::Serialize;
use uuid::Uuid;

use super::{Database, DatabaseError, Doing};

/// A setting of PostgreSQL under which what is committed can be lost.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Warning {
    /// The PostgreSQL setting at fault.
    pub setting: String,
    /// A sentence for the operator.
    pub message: String,
}

/// A new epoch where there is none, or where this is another cluster or a
/// cluster restored to an earlier point (which begins a new timeline).
const RENEW_EPOCH: &str = "
INSERT INTO epoch (id, system_identifier, timeline)
SELECT $1, s.system_identifier, c.timeline_id FROM pg_control_system() s, pg_control_checkpoint() c
ON CONFLICT (single) DO UPDATE
SET id = excluded.id, system_identifier = excluded.system_identifier, timeline = excluded.timeline
WHERE (epoch.system_identifier, epoch.timeline) <> (excluded.system_identifier, excluded.timeline)";

const EPOCH: &str = "SELECT id FROM epoch";

const DURABILITY: &str = "
SELECT name FROM pg_settings
WHERE name IN ('fsync', 'full_page_writes', 'synchronous_commit') AND setting = 'off' ORDER BY name";

impl Database {
    /// Names the history that the database holds; a new name when it is not
    /// the one that an earlier name was given to.
    pub async fn epoch(&self) -> Result<Uuid, DatabaseError> {
        let doing = "determine the epoch";
        sqlx::query(RENEW_EPOCH).bind(Uuid::now_v7()).execute(&self.pool).await.doing(doing)?;
        sqlx::query_scalar(EPOCH).fetch_one(&self.pool).await.doing(doing)
    }

    /// The settings under which a commit can be lost.
    pub async fn durability(&self) -> Result<Vec<Warning>, DatabaseError> {
        let off: Vec<String> =
            sqlx::query_scalar(DURABILITY).fetch_all(&self.pool).await.doing("check the durability")?;
        Ok(off.into_iter().map(warning).collect())
    }
}

fn warning(setting: String) -> Warning {
    let message = match setting.as_str() {
        // The writers' own connections have it on.
        "synchronous_commit" => "a crash of PostgreSQL can lose names and sessions, though no messages",
        "fsync" => "a crash of the machine can lose messages that were acknowledged and ruin the database",
        _ => "a crash of the machine can ruin the database",
    };
    Warning { message: format!("PostgreSQL runs with {setting} = off: {message}."), setting }
}
