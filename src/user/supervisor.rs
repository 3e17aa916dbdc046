//! The supervisor of the users' actors: starts one for each user with a connection,
//! and restarts it with the same connections when it crashes.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use ractor::{Actor, ActorId, ActorProcessingErr, ActorRef, SupervisionEvent};
use tokio::task::JoinHandle;

use super::sessions::{close_ended, free_names};
use super::{Services, UserActor, UserArguments};
use crate::domain::{RestartIntensity, SessionFilter, SessionId, UserId, name_key};
use crate::metrics;
use crate::presence::PresenceMessage;
use crate::protocol::User;
use crate::registry::{
    CloseReason, ConnectionHandle, ConnectionId, UserMessage, UserSupervisorMessage, visibility_of,
};

/// How often one user's actor may crash within [`RESTART_WINDOW`] before all of that
/// user's connections are closed, to reconnect later. Crashes that a frame
/// causes are recorded on its connection, which is closed much earlier.
const RESTARTS_MAX: usize = 20;
const RESTART_WINDOW: Duration = Duration::from_secs(60);

pub struct UserSupervisorState {
    services: Arc<Services>,
    /// One check of the sessions at a time, however long the database takes.
    check: Option<JoinHandle<()>>,
    /// Where the search for unused names continues.
    names: Arc<Mutex<Option<UserId>>>,
    children: HashMap<UserId, Child>,
    by_actor: HashMap<ActorId, UserId>,
}

struct Child {
    user: User,
    actor: ActorRef<UserMessage>,
    crashes: RestartIntensity,
    /// Sessions that have ended since a connection came last. Those that are closing for
    /// another reason do not know.
    logged_out: Option<SessionFilter>,
}

pub struct UserSupervisor;

impl Actor for UserSupervisor {
    type Msg = UserSupervisorMessage;
    type State = UserSupervisorState;
    type Arguments = Arc<Services>;

    async fn pre_start(
        &self,
        myself: ActorRef<UserSupervisorMessage>,
        services: Arc<Services>,
    ) -> Result<UserSupervisorState, ActorProcessingErr> {
        // Before the table is read: later changes are announced to this actor.
        services.registry.connections().supervisor().set(myself.clone());
        // After a crash: start an actor for every user in the table, and end the others.
        for connection in services.registry.connections().all() {
            myself.cast(UserSupervisorMessage::Attached(connection))?;
        }
        myself.cast(UserSupervisorMessage::Reconcile)?;
        // It ends with this actor.
        drop(myself.send_interval(services.config.session_check, || UserSupervisorMessage::CheckSessions));
        Ok(UserSupervisorState {
            services,
            check: None,
            names: Arc::default(),
            children: HashMap::new(),
            by_actor: HashMap::new(),
        })
    }

    async fn handle(
        &self,
        myself: ActorRef<UserSupervisorMessage>,
        message: UserSupervisorMessage,
        state: &mut UserSupervisorState,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            UserSupervisorMessage::Attached(connection) => state.on_attached(&myself, connection).await,
            UserSupervisorMessage::Detached { user, connection, session, logged_out } => {
                state.on_detached(user, connection, session, logged_out);
            }
            UserSupervisorMessage::LoggedOut { user, sessions } => state.on_logged_out(user, sessions),
            UserSupervisorMessage::Visibility(user) => state.on_visibility(user),
            UserSupervisorMessage::Reconcile => state.on_reconcile(),
            UserSupervisorMessage::CheckSessions => state.on_check_sessions(),
            UserSupervisorMessage::Heartbeat(heartbeat) => heartbeat.answer(),
            UserSupervisorMessage::Fault(fault) => fault.strike().await,
        }
        Ok(())
    }

    async fn handle_supervisor_evt(
        &self,
        myself: ActorRef<UserSupervisorMessage>,
        event: SupervisionEvent,
        state: &mut UserSupervisorState,
    ) -> Result<(), ActorProcessingErr> {
        match event {
            SupervisionEvent::ActorFailed(cell, error) => {
                state.on_failed(&myself, cell.get_id(), &error.to_string()).await
            }
            // Drained, after the last connection was removed.
            SupervisionEvent::ActorTerminated(cell, ..) => drop(state.by_actor.remove(&cell.get_id())),
            _ => {}
        }
        Ok(())
    }
}

impl UserSupervisorState {
    async fn on_attached(&mut self, myself: &ActorRef<UserSupervisorMessage>, connection: ConnectionHandle) {
        let user = connection.user();
        match self.children.get_mut(&user.id) {
            Some(child) => {
                child.logged_out = None;
                // If the actor is dying, its successor starts with this connection.
                drop(child.actor.cast(UserMessage::Attach(connection)));
            }
            None => {
                // False: the connection is gone again, and presence never heard of it.
                let _gone = self
                    .start(myself, user.clone(), RestartIntensity::new(RESTARTS_MAX, RESTART_WINDOW))
                    .await;
            }
        }
    }

    fn on_detached(&mut self, user: UserId, connection: ConnectionId, session: SessionId, logged_out: bool) {
        let Some(child) = self.children.get(&user) else { return };
        if !self.services.registry.connections().of(user).is_empty() {
            // If the actor is dying, its successor starts without this connection.
            drop(child.actor.cast(UserMessage::Detach(connection)));
            return;
        }
        // The actor handles what is in its mailbox, then ends.
        if let Err(error) = child.actor.drain() {
            tracing::debug!(%user, %error, "the actor had ended before");
        }
        let actor = child.actor.get_id();
        let logged_out = logged_out || child.logged_out.is_some_and(|sessions| sessions.matches(session));
        self.children.remove(&user);
        self.cast_to_presence(PresenceMessage::Down {
            user,
            actor,
            session: Some(session),
            grace: !logged_out,
        });
    }

    fn on_logged_out(&mut self, user: UserId, sessions: SessionFilter) {
        match self.children.get_mut(&user) {
            Some(child) => child.logged_out = Some(sessions),
            // Behind `Down` of the last connection.
            None => self.cast_to_presence(PresenceMessage::LoggedOut { user, sessions }),
        }
    }

    /// The actor has panicked: starts another one with its connections.
    async fn on_failed(&mut self, myself: &ActorRef<UserSupervisorMessage>, actor: ActorId, error: &str) {
        let Some(user) = self.by_actor.remove(&actor) else { return };
        // It may have died while draining, and been replaced by then.
        let Entry::Occupied(child) = self.children.entry(user) else { return };
        if child.get().actor.get_id() != actor {
            return;
        }
        let Child { user, mut crashes, .. } = child.remove();
        tracing::error!(user = %user.id, error, "a user's actor died; restarting it");
        metrics::restarted("user");
        if !crashes.record(Instant::now()) {
            tracing::error!(user = %user.id, "a user's actor dies again and again; closing its connections");
            self.services.registry.connections().close(user.id, CloseReason::NoSession, SessionFilter::All);
        }
        let id = user.id;
        if !self.start(myself, user, crashes).await {
            self.cast_to_presence(PresenceMessage::Down { user: id, actor, session: None, grace: true });
        }
    }

    /// Returns `false` if the user has no connection left.
    async fn start(
        &mut self,
        myself: &ActorRef<UserSupervisorMessage>,
        user: User,
        crashes: RestartIntensity,
    ) -> bool {
        let connections = self.services.registry.connections().of(user.id);
        if connections.is_empty() {
            return false;
        }
        let arguments = UserArguments { user: user.clone(), connections, services: self.services.clone() };
        match Actor::spawn_linked(None, UserActor, arguments, myself.get_cell()).await {
            Ok((actor, _task)) => {
                self.by_actor.insert(actor.get_id(), user.id);
                self.cast_to_presence(self.up(&user, &actor));
                self.children.insert(user.id, Child { user, actor, crashes, logged_out: None });
                true
            }
            Err(error) => {
                tracing::error!(user = %user.id, %error, "a user's actor does not start; closing its connections");
                self.services.registry.connections().close(
                    user.id,
                    CloseReason::NoSession,
                    SessionFilter::All,
                );
                false
            }
        }
    }

    /// Sent by this actor, so that it follows all that carries an older choice.
    fn on_visibility(&self, user: UserId) {
        let Some(visibility) = visibility_of(&self.services.registry.connections().of(user)) else { return };
        self.cast_to_presence(PresenceMessage::Visibility { user, visibility });
        if let Some(child) = self.children.get(&user) {
            // If the actor is dying, its successor sends it.
            drop(child.actor.cast(UserMessage::Visibility));
        }
    }

    fn on_reconcile(&mut self) {
        for child in self.children.values() {
            self.cast_to_presence(self.up(&child.user, &child.actor));
            // If the actor is dying, its successor reports by itself.
            drop(child.actor.cast(UserMessage::ReannouncePresence));
        }
        let living = self.children.values().map(|child| child.actor.get_id()).collect();
        self.cast_to_presence(PresenceMessage::Reconcile { living });
    }

    fn on_check_sessions(&mut self) {
        if self.check.as_ref().is_none_or(JoinHandle::is_finished) {
            let (services, names) = (self.services.clone(), self.names.clone());
            self.check = Some(tokio::spawn(async move {
                close_ended(services.clone()).await;
                free_names(services, names).await;
            }));
        }
    }

    fn up(&self, user: &User, actor: &ActorRef<UserMessage>) -> PresenceMessage {
        PresenceMessage::Up {
            user: user.clone(),
            key: name_key(&user.name).into(),
            actor: actor.clone(),
            // If the connections are gone, `Down` follows.
            visibility: visibility_of(&self.services.registry.connections().of(user.id)),
        }
    }

    /// The message is lost while presence is being replaced: `Reconcile` follows.
    fn cast_to_presence(&self, message: PresenceMessage) {
        if self.services.presence.cast(message).is_err() {
            tracing::debug!("presence is being replaced");
        }
    }
}
