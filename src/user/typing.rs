//! Shows to the other members of a conversation that the user is typing.

use std::time::{Duration, Instant};

use super::handlers::no_such_conversation;
use super::{Services, UserState};
use crate::bus::{Delivery, Recipients};
use crate::database::DatabaseError;
use crate::domain::{Action, ConversationId, Members, UserId, may};
use crate::protocol::{ErrorFrame, Problem, ServerFrame};
use crate::registry::{ConnectionHandle, UserMessage};

/// Typing that is older than this when the members are known is dropped: by then the
/// user may have stopped.
const TYPING_LOOKUP_MAX: Duration = Duration::from_secs(1);

impl UserState {
    pub(super) fn on_typing(&mut self, conversation: ConversationId) -> Result<(), Problem> {
        if !self.typing.may_type(conversation, Instant::now(), self.services.config.typing_interval) {
            return Ok(());
        }
        let members = self.typing.members(conversation);
        if !members.is_some_and(|members| self.show_typing(conversation, members)) {
            self.ask_members(conversation);
        }
        Ok(())
    }

    /// One look-up at a time: typing in many conversations at once, which nobody
    /// does, is dropped instead of queued. The result goes through the registry: a
    /// reference to this actor, held for as long as the database takes, would keep
    /// messages alive that came too late for its mailbox.
    fn ask_members(&mut self, conversation: ConversationId) {
        if self.lookup.as_ref().is_some_and(|(task, _)| !task.is_finished()) {
            return;
        }
        let (services, user) = (self.services.clone(), self.id());
        let task = tokio::spawn(async move {
            match services.members_to_type_to(user, conversation).await {
                Ok(members) => services.registry.cast(user, UserMessage::Members(conversation, members)),
                // Typing is not worth a retry.
                Err(error) => tracing::warn!(%error, "members not read"),
            }
        });
        self.lookup = Some((task.abort_handle(), Instant::now()));
    }

    pub(super) fn on_members(&mut self, conversation: ConversationId, members: Option<Members>) {
        if let Some(members) = members {
            self.typing.set_members(conversation, members);
            // None after a crash meanwhile.
            let asked = self.lookup.as_ref().map(|(_, asked)| asked.elapsed());
            if asked.is_some_and(|time| time <= TYPING_LOOKUP_MAX) {
                // False: the group has changed meanwhile. The next typing asks again.
                let _shown = self.show_typing(conversation, members);
            }
        } else {
            let error = ErrorFrame { conversation: Some(conversation), ..no_such_conversation().into() };
            self.broadcast(&ServerFrame::Error(error).encode(), ConnectionHandle::send_ephemeral);
        }
    }

    /// Shows to the other members that the user is typing. Returns `false` if the members
    /// of the group are not known, or the user is not one of them any more.
    fn show_typing(&self, conversation: ConversationId, members: Members) -> bool {
        // Held until it is published.
        let group = match members {
            Members::Direct(_) => None,
            Members::Group => match self.services.registry.groups().get(conversation) {
                Some(group) if group.contains(self.id()) => Some(group),
                _ => return false,
            },
        };
        // Not if the user is invisible, or has left meanwhile.
        if self.visibility().is_some_and(|visibility| !visibility.is_invisible()) {
            let to = Recipients::of(conversation, members);
            self.services.bus.publish(Delivery::Typing { user: self.id(), conversation, to });
        }
        drop(group);
        true
    }
}

impl Services {
    /// Who is in a conversation, for a user who may show typing there; `None` otherwise.
    async fn members_to_type_to(
        &self,
        user: UserId,
        conversation: ConversationId,
    ) -> Result<Option<Members>, DatabaseError> {
        match self.database.membership(user, conversation).await? {
            Some((role, members)) if may(Some(role), Action::ShowTyping) => {
                if members == Members::Group {
                    drop(self.group(conversation).await?);
                }
                Ok(Some(members))
            }
            _ => Ok(None),
        }
    }
}
