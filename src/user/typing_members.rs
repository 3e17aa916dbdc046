use super::Services;
use crate::database::DatabaseError;
use crate::domain::{Action, ConversationId, Members, UserId, may};

impl Services {
    /// Who is in a conversation, for a user who may show typing there; `None` otherwise.
    /// Then the members of a group are remembered.
    pub async fn members_to_type_to(
        &self,
        user: UserId,
        conversation: ConversationId,
    ) -> Result<Option<Members>, DatabaseError> {
        let groups = self.registry.groups();
        let revision = groups.revision();
        let Some((role, members)) = self.database.membership(user, conversation).await? else {
            return Ok(None);
        };
        if !may(Some(role), Action::ShowTyping) {
            return Ok(None);
        }
        if members == Members::Group && groups.get(conversation).is_none() {
            let read = self.database.group_members(conversation).await?;
            // `None`: they have changed meanwhile, and are read again when they are needed.
            drop(groups.insert(conversation, read, revision));
        }
        Ok(Some(members))
    }
}
