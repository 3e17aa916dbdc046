//! The table of all connections. It outlives the users' actors and their supervisor,
//! which are started again from it.

use std::sync::atomic::{AtomicU64, Ordering};

use dashmap::DashMap;
use dashmap::mapref::entry::Entry;

use super::{ActorSlot, CloseReason, ConnectionHandle, UserSupervisorMessage};
use crate::domain::{IdHasher, SessionFilter, UserId, Visibility};

/// Every connection of every user, from which actors are started again.
#[derive(Default)]
pub struct ConnectionTable {
    connections: DashMap<UserId, Vec<ConnectionHandle>, IdHasher>,
    revision: AtomicU64,
    supervisor: ActorSlot<UserSupervisorMessage>,
}

impl ConnectionTable {
    /// Adds a connection. Returns `false` if the user has `limit` of them already. The
    /// connection gets the user's newest choice, which may have changed since it was
    /// read for this one.
    pub fn attach(&self, connection: &ConnectionHandle, limit: usize) -> bool {
        let mut connections = self.connections.entry(connection.user().id).or_default();
        if connections.len() >= limit {
            return false;
        }
        if let Some(visibility) = visibility_of(&connections) {
            connection.apply_visibility(visibility);
        }
        connections.push(connection.clone());
        drop(connections);
        self.cast(UserSupervisorMessage::Attached(connection.clone()));
        true
    }

    /// Removes a connection.
    pub fn detach(&self, connection: &ConnectionHandle) {
        if let Entry::Occupied(mut entry) = self.connections.entry(connection.user().id) {
            entry.get_mut().retain(|other| other.id() != connection.id());
            if entry.get().is_empty() {
                entry.remove();
            }
        }
        let logged_out = connection.closing() == Some(CloseReason::LoggedOut);
        self.cast(UserSupervisorMessage::Detached {
            user: connection.user().id,
            connection: connection.id(),
            session: connection.session(),
            logged_out,
        });
    }

    /// Changes whenever sessions are ended or a user changes visibility. As long as it
    /// has not changed, what was read of a session from the database is still true.
    pub fn revision(&self) -> u64 {
        self.revision.load(Ordering::SeqCst)
    }

    /// Closes the user's connections of these sessions. After a log-out, one that has
    /// closed just before does not keep the user online either.
    pub fn close(&self, user: UserId, why: CloseReason, sessions: SessionFilter) {
        // First: a connection that is attached after the table was read sees the change.
        self.revision.fetch_add(1, Ordering::SeqCst);
        for connection in self.of(user).iter().filter(|connection| sessions.matches(connection.session())) {
            connection.close(why);
        }
        if why == CloseReason::LoggedOut {
            self.cast(UserSupervisorMessage::LoggedOut { user, sessions });
        }
    }

    /// Applies the user's choice to all of the user's connections.
    pub fn apply_visibility(&self, user: UserId, visibility: Visibility) {
        self.revision.fetch_add(1, Ordering::SeqCst);
        // Under the lock of the entry: a connection that is attached gets it from there.
        if let Some(connections) = self.connections.get(&user) {
            connections.iter().for_each(|connection| connection.apply_visibility(visibility));
        }
    }

    /// Every connection.
    pub fn all(&self) -> Vec<ConnectionHandle> {
        self.connections.iter().flat_map(|entry| entry.value().clone()).collect()
    }

    /// The number of connections of visible users.
    pub fn count_visible(&self) -> usize {
        let is_visible = |connection: &&ConnectionHandle| !connection.visibility().is_invisible();
        self.connections.iter().map(|entry| entry.value().iter().filter(is_visible).count()).sum()
    }

    /// Whether nobody is connected.
    pub fn is_empty(&self) -> bool {
        self.connections.is_empty()
    }

    /// The supervisor of the users' actors.
    pub fn supervisor(&self) -> &ActorSlot<UserSupervisorMessage> {
        &self.supervisor
    }

    /// The connections of a user.
    pub fn of(&self, user: UserId) -> Vec<ConnectionHandle> {
        self.connections.get(&user).map(|entry| entry.value().clone()).unwrap_or_default()
    }

    /// Sends a message to the supervisor. It is lost while the supervisor is being
    /// replaced: the new one reads the table.
    pub fn cast(&self, message: UserSupervisorMessage) {
        if self.supervisor.cast(message).is_err() {
            tracing::debug!("the users' supervisor is being replaced");
        }
    }
}

/// The newest choice that any of a user's connections knows.
pub fn visibility_of(connections: &[ConnectionHandle]) -> Option<Visibility> {
    connections.iter().map(ConnectionHandle::visibility).max()
}
