//! Who is connected: the actor of each user, every connection, who is shown as online, and
//! the members of groups. These tables outlive every actor.
//!
//! The presence actor writes it; only a choice of visibility is applied by whoever
//! learns of it. Everybody reads it without asking an actor. With several nodes, users
//! of other nodes would be looked up here.

mod actor_slot;
mod close_reason;
mod connection_table;
mod envelope;
mod groups;
mod handle;
mod heartbeat;
mod in_flight;
mod message;
mod online_users;
mod outbound;
mod recipient;
pub mod sync;

use std::collections::HashSet;
use std::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};

use dashmap::DashMap;
use ractor::{ActorId, ActorRef};

pub use actor_slot::ActorSlot;
pub use close_reason::CloseReason;
pub use connection_table::{ConnectionTable, visibility_of};
pub use envelope::{Envelope, LARGE_FRAME_BYTES, OpenedFrame, ReturnedFrames};
pub use groups::{Group, Groups};
pub use handle::{ConnectionHandle, ConnectionId, OutboundReceiver, REPLAY_ROOM_BYTES};
pub use heartbeat::{Heartbeat, HeartbeatAnswer, InjectedFault};
pub use in_flight::InFlightSends;
pub use message::{
    ReceiptUpdate, SendRequest, SendResult, StoredEvent, UserDelivery, UserMessage, UserSupervisorMessage,
};
pub use online_users::{Change, OnlineUsers};
pub use outbound::OutboundLimits;
pub use recipient::Recipient;

use crate::domain::{ConversationId, IdHasher, UserId, Visibility};

/// The users of this server who have a connection, and who is shown as online.
pub struct Registry<A = ActorRef<UserMessage>> {
    actors: DashMap<UserId, A, IdHasher>,
    connections: ConnectionTable,
    groups: Groups,
    online_users: RwLock<OnlineUsers>,
}

impl<A> Default for Registry<A> {
    fn default() -> Self {
        Self {
            actors: DashMap::default(),
            connections: ConnectionTable::default(),
            groups: Groups::default(),
            online_users: RwLock::default(),
        }
    }
}

impl<A: Recipient> Registry<A> {
    /// Returns the user's actor, or `None` while the user has no connection or a
    /// crashed actor is being replaced (for microseconds).
    pub fn get(&self, user: UserId) -> Option<A> {
        self.actors.get(&user).map(|entry| entry.value().clone())
    }

    /// Sends a message to the user's actor, if the user is connected. A message to
    /// a dying actor is lost: its connections resynchronise from the log.
    pub fn cast(&self, user: UserId, message: UserMessage) {
        if let Some(entry) = self.actors.get(&user)
            && !entry.value().try_cast(message)
        {
            tracing::debug!(%user, "sent to an actor that is being replaced");
        }
    }

    /// Whether the user has a connection here, as far as the registry knows.
    pub fn is_connected(&self, user: UserId) -> bool {
        self.actors.contains_key(&user)
    }

    /// Every connection of this server.
    pub fn connections(&self) -> &ConnectionTable {
        &self.connections
    }

    /// The members of groups, as far as they are remembered.
    pub fn groups(&self) -> &Groups {
        &self.groups
    }

    /// The members of a group who have a connection here. Nobody, if the group is not
    /// remembered: whoever publishes there sees to that.
    pub fn connected_members(&self, group: ConversationId) -> Vec<UserId> {
        let Some(group) = self.groups.get(group) else {
            tracing::error!(%group, "a delivery to a group whose members are not known");
            return Vec::new();
        };
        self.groups.connected(&group, |user| self.is_connected(user))
    }

    /// Asks every user's actor to submit its unanswered sends again.
    pub fn resubmit_in_flight(&self) {
        for entry in &self.actors {
            // False: the actor is dying, and its successor resubmits by itself.
            let _sent = entry.value().try_cast(UserMessage::ResubmitInFlight);
        }
    }

    /// Applies a user's choice at once, whoever calls this: the version only
    /// grows, and an invisible user must not be shown until a message arrives.
    pub fn apply_visibility(&self, user: UserId, visibility: Visibility) {
        self.online_users_mut().apply_visibility(user, visibility);
    }

    /// Who is shown as online.
    pub fn online_users(&self) -> RwLockReadGuard<'_, OnlineUsers> {
        self.online_users.read().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// For the presence actor, and [`apply_visibility`](Self::apply_visibility), only.
    pub fn online_users_mut(&self) -> RwLockWriteGuard<'_, OnlineUsers> {
        self.online_users.write().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// For the presence actor only: messages for the user go to `actor` from now on.
    pub fn put(&self, user: UserId, actor: A) {
        self.groups.arrive(user, || drop(self.actors.insert(user, actor)));
    }

    /// For the presence actor only: removes every actor that is not `living`.
    pub fn retain(&self, living: &HashSet<ActorId>) {
        self.actors.retain(|_, actor| living.contains(&actor.id()));
    }

    /// For the presence actor only: removes the user, unless another actor has
    /// replaced this one.
    pub fn remove(&self, user: UserId, actor: ActorId) {
        self.actors.remove_if(&user, |_, current| current.id() == actor);
    }
}
