//! Where is this user, and what may be said to them: the one place that knows.
//!
//! The presence actor is the only writer; everybody reads without asking an
//! actor. On several nodes, this is where a user of another one is looked up.

mod address;
mod envelope;
mod link;
mod message;
mod outbound;
mod pending;
mod recipient;
mod roster;
pub mod shared;

use std::collections::HashSet;
use std::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};

use dashmap::DashMap;
use ractor::{ActorId, ActorRef};

pub use address::Address;
pub use envelope::{Envelope, Opened, Returned};
pub use link::{Close, ConnectionId, Link, Outgoing};
pub use message::{Answer, Committed, Progress, Settled, Submission, UserMessage};
pub use outbound::OutboundLimits;
pub use pending::Pending;
pub use recipient::Recipient;
pub use roster::{Change, Roster};

use crate::domain::{UserId, Visibility};

/// The users of this server who have a connection, and who is shown as online.
pub struct Directory<A = ActorRef<UserMessage>> {
    actors: DashMap<UserId, A>,
    roster: RwLock<Roster>,
}

impl<A> Default for Directory<A> {
    fn default() -> Self {
        Self { actors: DashMap::new(), roster: RwLock::default() }
    }
}

impl<A: Recipient> Directory<A> {
    /// The user's actor; none while the user has no connection, and for
    /// microseconds while a crashed one is being replaced.
    pub fn get(&self, user: UserId) -> Option<A> {
        self.actors.get(&user).map(|entry| entry.value().clone())
    }

    /// Says something to a user, if connected. A message to an actor that is
    /// dying is lost: its connections resynchronise from the log.
    pub fn tell(&self, user: UserId, message: UserMessage) {
        if let Some(entry) = self.actors.get(&user)
            && !entry.value().tell(message)
        {
            tracing::debug!(%user, "told an actor that is being replaced");
        }
    }

    /// Whether the user has a socket here, as far as is known.
    pub fn is_connected(&self, user: UserId) -> bool {
        self.actors.contains_key(&user)
    }

    /// Tells everyone who has an actor now to submit again what has no answer.
    pub fn ask_to_resubmit(&self) {
        for entry in &self.actors {
            // False: a dying one, whose connections do so by themselves.
            let _told = entry.value().tell(UserMessage::Resubmit);
        }
    }

    /// What a user has chosen is in force here, whoever says so: the number only
    /// grows, and nobody is to be shown for as long as a message takes.
    pub fn learn_visibility(&self, user: UserId, visibility: Visibility) {
        self.roster_mut().learn(user, visibility);
    }

    /// Who is shown as online.
    pub fn roster(&self) -> RwLockReadGuard<'_, Roster> {
        self.roster.read().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// For the presence actor only.
    pub fn roster_mut(&self) -> RwLockWriteGuard<'_, Roster> {
        self.roster.write().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// For the presence actor only: `actor` is the user from now on.
    pub fn put(&self, user: UserId, actor: A) {
        self.actors.insert(user, actor);
    }

    /// For the presence actor only: forgets everyone else.
    pub fn retain(&self, living: &HashSet<ActorId>) {
        self.actors.retain(|_, actor| living.contains(&actor.id()));
    }

    /// For the presence actor only: forgets the user, unless replaced meanwhile.
    pub fn remove(&self, user: UserId, actor: ActorId) {
        self.actors.remove_if(&user, |_, current| current.id() == actor);
    }
}
