use std::sync::Arc;

use super::Services;
use crate::database::DatabaseError;
use crate::domain::ConversationId;
use crate::registry::Group;

impl Services {
    /// A group with its members, read if they are not remembered. They are remembered for as
    /// long as it is held, so that what is published to the group meanwhile finds them.
    pub(super) async fn group(&self, id: ConversationId) -> Result<Arc<Group>, DatabaseError> {
        let groups = self.registry.groups();
        loop {
            if let Some(group) = groups.get(id) {
                return Ok(group);
            }
            let revision = groups.revision();
            let members = self.database.group_members(id).await?;
            if let Some(group) = groups.insert(id, members, revision) {
                return Ok(group);
            }
        }
    }
}
