use sqlx::PgExecutor;
use uuid::Uuid;

use super::{Context, Database, DatabaseError};
use crate::domain::{ConversationId, UserId};

// A row for each group, also for one that everybody has left.
const GROUP_MEMBERS: &str = "
SELECT id, ARRAY(SELECT user_id FROM members WHERE conversation_id = id) AS members FROM unnest($1::uuid[]) AS id";

/// Everyone in each of these groups.
pub(super) async fn group_members(
    executor: impl PgExecutor<'_>,
    groups: &[ConversationId],
) -> Result<Vec<(ConversationId, Vec<UserId>)>, sqlx::Error> {
    let rows: Vec<(Uuid, Vec<Uuid>)> = sqlx::query_as(GROUP_MEMBERS)
        .bind(groups.iter().map(|group| group.0).collect::<Vec<_>>())
        .fetch_all(executor)
        .await?;
    let members = |ids: Vec<Uuid>| ids.into_iter().map(UserId).collect();
    Ok(rows.into_iter().map(|(group, ids)| (ConversationId(group), members(ids))).collect())
}

impl Database {
    /// Everyone in a group.
    pub async fn group_members(&self, group: ConversationId) -> Result<Vec<UserId>, DatabaseError> {
        let read = group_members(&self.pool, &[group]).await.context("read the members of a group")?;
        Ok(read.into_iter().flat_map(|(_, members)| members).collect())
    }
}
