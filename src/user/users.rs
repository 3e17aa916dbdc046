//! The supervisor of the users' actors, and the table of connections that
//! outlives all of them.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use dashmap::DashMap;
use dashmap::mapref::entry::Entry as Links;
use ractor::{Actor, ActorId, ActorProcessingErr, ActorRef, SupervisionEvent};

use super::{Services, UserActor, UserArguments};
use crate::directory::{Address, Close, ConnectionId, Link, UserMessage};
use crate::domain::{Budget, SessionId, UserId, Visibility, name_key};
use crate::metrics;
use crate::presence::PresenceMessage;
use crate::protocol::User;

/// Deaths of one user's actor within [`RESTART_WINDOW`] after which all of that
/// user's connections are closed, to come back later. Those that a frame
/// causes are booked on its connection, which is closed much earlier.
const RESTARTS_MAX: usize = 20;
const RESTART_WINDOW: Duration = Duration::from_secs(60);

/// Every connection of every user: the truth from which actors are rebuilt.
#[derive(Clone, Default)]
pub struct Users {
    links: Arc<DashMap<UserId, Vec<Link>>>,
    news: Arc<AtomicU64>,
    address: Address<UsersMessage>,
}

impl Users {
    /// A connection has come; false when the user has `limit` of them already.
    /// What the user has chosen may have changed since it was read for this one.
    pub fn attach(&self, link: &Link, limit: usize) -> bool {
        let mut links = self.links.entry(link.user().id).or_default();
        if links.len() >= limit {
            return false;
        }
        if let Some(visibility) = visibility_of(&links) {
            link.learn_visibility(visibility);
        }
        links.push(link.clone());
        drop(links);
        self.say(UsersMessage::Arrived(link.clone()));
        true
    }

    /// A connection has gone.
    pub fn detach(&self, link: &Link) {
        if let Links::Occupied(mut entry) = self.links.entry(link.user().id) {
            entry.get_mut().retain(|other| other.id() != link.id());
            if entry.get().is_empty() {
                entry.remove();
            }
        }
        let logged_out = link.closing() == Some(Close::LoggedOut);
        self.say(UsersMessage::Gone { user: link.user().id, connection: link.id(), logged_out });
    }

    /// Changes whenever connections were closed or a choice was made: as long as
    /// it has not, what the database said of a session before is what it says now.
    pub fn news(&self) -> u64 {
        self.news.load(Ordering::SeqCst)
    }

    /// Closes the user's connections of which `which` is true.
    pub fn close(&self, user: UserId, why: Close, which: impl Fn(SessionId) -> bool) {
        // First: who attaches after this look at the table finds it changed.
        self.news.fetch_add(1, Ordering::SeqCst);
        for link in self.links_of(user).iter().filter(|link| which(link.session())) {
            link.close(why);
        }
    }

    /// All connections of the user know what that has chosen.
    pub(super) fn learn_visibility(&self, user: UserId, visibility: Visibility) {
        self.news.fetch_add(1, Ordering::SeqCst);
        // Under the lock of the entry: a connection that comes finds it there.
        if let Some(links) = self.links.get(&user) {
            links.iter().for_each(|link| link.learn_visibility(visibility));
        }
    }

    /// Every connection there is.
    pub fn all(&self) -> Vec<Link> {
        self.links.iter().flat_map(|entry| entry.value().clone()).collect()
    }

    /// Whether nobody is connected.
    pub fn is_empty(&self) -> bool {
        self.links.is_empty()
    }

    /// How the supervisor of the users is reached.
    pub fn address(&self) -> &Address<UsersMessage> {
        &self.address
    }

    fn links_of(&self, user: UserId) -> Vec<Link> {
        self.links.get(&user).map(|entry| entry.value().clone()).unwrap_or_default()
    }

    /// Lost while the supervisor is being replaced: the new one reads the table.
    pub(super) fn say(&self, message: UsersMessage) {
        if self.address.cast(message).is_err() {
            tracing::debug!("the users' supervisor is being replaced");
        }
    }
}

/// What may be said to the supervisor of the users.
#[derive(Debug)]
pub enum UsersMessage {
    /// This connection is in the table now.
    Arrived(Link),
    /// This connection is no longer in the table; whether by a log-out.
    Gone { user: UserId, connection: ConnectionId, logged_out: bool },
    /// The user has chosen anew whether to be seen; all connections know.
    Visibility(UserId),
    /// The presence actor is new: tell it everyone.
    Census,
    /// Fault injection: panic.
    Crash,
}

pub struct UsersState {
    services: Arc<Services>,
    children: HashMap<UserId, Child>,
    by_actor: HashMap<ActorId, UserId>,
}

struct Child {
    user: User,
    actor: ActorRef<UserMessage>,
    deaths: Budget,
}

pub struct UsersSupervisor;

impl Actor for UsersSupervisor {
    type Msg = UsersMessage;
    type State = UsersState;
    type Arguments = Arc<Services>;

    async fn pre_start(
        &self,
        myself: ActorRef<UsersMessage>,
        services: Arc<Services>,
    ) -> Result<UsersState, ActorProcessingErr> {
        // Before the table is read: who comes or goes later is announced here.
        services.users.address().set(myself.clone());
        // After a crash: whoever is in the table, and the end of those who left meanwhile.
        for link in services.users.all() {
            myself.cast(UsersMessage::Arrived(link))?;
        }
        myself.cast(UsersMessage::Census)?;
        Ok(UsersState { services, children: HashMap::new(), by_actor: HashMap::new() })
    }

    async fn handle(
        &self,
        myself: ActorRef<UsersMessage>,
        message: UsersMessage,
        state: &mut UsersState,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            UsersMessage::Arrived(link) => state.on_arrived(&myself, link).await,
            UsersMessage::Gone { user, connection, logged_out } => {
                state.on_gone(user, connection, logged_out);
            }
            UsersMessage::Visibility(user) => state.on_visibility(user),
            UsersMessage::Census => state.on_census(),
            UsersMessage::Crash => panic!("users: fault injected"),
        }
        Ok(())
    }

    async fn handle_supervisor_evt(
        &self,
        myself: ActorRef<UsersMessage>,
        event: SupervisionEvent,
        state: &mut UsersState,
    ) -> Result<(), ActorProcessingErr> {
        match event {
            SupervisionEvent::ActorFailed(cell, error) => {
                state.on_failed(&myself, cell.get_id(), &error.to_string()).await
            }
            // Drained, after the last connection had gone.
            SupervisionEvent::ActorTerminated(cell, ..) => drop(state.by_actor.remove(&cell.get_id())),
            _ => {}
        }
        Ok(())
    }
}

impl UsersState {
    async fn on_arrived(&mut self, myself: &ActorRef<UsersMessage>, link: Link) {
        let user = link.user();
        match self.children.get(&user.id) {
            // A dying one is replaced in a moment, with this connection.
            Some(child) => drop(child.actor.cast(UserMessage::Attach(link))),
            None => {
                // False: it has gone again, and nobody has heard of it.
                let _gone = self.start(myself, user.clone(), Budget::new(RESTARTS_MAX, RESTART_WINDOW)).await;
            }
        }
    }

    fn on_gone(&mut self, user: UserId, connection: ConnectionId, logged_out: bool) {
        let Some(child) = self.children.get(&user) else { return };
        if !self.services.users.links_of(user).is_empty() {
            // A dying one is replaced in a moment, without this connection.
            drop(child.actor.cast(UserMessage::Detach(connection)));
            return;
        }
        // What it has been sent is still done, then it ends.
        if let Err(error) = child.actor.drain() {
            tracing::debug!(%user, %error, "the actor had ended before");
        }
        let actor = child.actor.get_id();
        self.children.remove(&user);
        self.tell_presence(PresenceMessage::Down { user, actor, grace: !logged_out });
    }

    /// The actor has panicked: another one takes over its connections.
    async fn on_failed(&mut self, myself: &ActorRef<UsersMessage>, actor: ActorId, error: &str) {
        let Some(user) = self.by_actor.remove(&actor) else { return };
        // It may have died while draining, and been replaced by then.
        let Entry::Occupied(child) = self.children.entry(user) else { return };
        if child.get().actor.get_id() != actor {
            return;
        }
        let Child { user, mut deaths, .. } = child.remove();
        tracing::error!(user = %user.id, error, "a user's actor died; restarting it");
        metrics::restarted("user");
        if !deaths.spend(Instant::now()) {
            tracing::error!(user = %user.id, "a user's actor dies again and again; closing its connections");
            self.services.users.close(user.id, Close::NoSession, |_| true);
        }
        let id = user.id;
        if !self.start(myself, user, deaths).await {
            self.tell_presence(PresenceMessage::Down { user: id, actor, grace: true });
        }
    }

    /// False when there is no connection left to start it for.
    async fn start(&mut self, myself: &ActorRef<UsersMessage>, user: User, deaths: Budget) -> bool {
        let links = self.services.users.links_of(user.id);
        if links.is_empty() {
            return false;
        }
        let arguments = UserArguments { user: user.clone(), links, services: self.services.clone() };
        match Actor::spawn_linked(None, UserActor, arguments, myself.get_cell()).await {
            Ok((actor, _task)) => {
                self.by_actor.insert(actor.get_id(), user.id);
                self.tell_presence(self.up(&user, &actor));
                self.children.insert(user.id, Child { user, actor, deaths });
                true
            }
            Err(error) => {
                tracing::error!(user = %user.id, %error, "a user's actor does not start; closing its connections");
                self.services.users.close(user.id, Close::NoSession, |_| true);
                false
            }
        }
    }

    /// Behind all that presence has been told with an older choice.
    fn on_visibility(&self, user: UserId) {
        let Some(visibility) = visibility_of(&self.services.users.links_of(user)) else { return };
        self.tell_presence(PresenceMessage::Visibility { user, visibility });
        if let Some(child) = self.children.get(&user) {
            // A dying one is replaced in a moment, and says it by itself.
            drop(child.actor.cast(UserMessage::Visibility));
        }
    }

    fn on_census(&mut self) {
        for child in self.children.values() {
            self.tell_presence(self.up(&child.user, &child.actor));
            // A dying one asks by itself when it is replaced.
            drop(child.actor.cast(UserMessage::Rewatch));
        }
        let living = self.children.values().map(|child| child.actor.get_id()).collect();
        self.tell_presence(PresenceMessage::Counted { living });
    }

    fn up(&self, user: &User, actor: &ActorRef<UserMessage>) -> PresenceMessage {
        PresenceMessage::Up {
            user: user.clone(),
            key: name_key(&user.name).into(),
            actor: actor.clone(),
            // Whoever has just gone is told of with `Down`.
            visibility: visibility_of(&self.services.users.links_of(user.id)),
        }
    }

    /// Lost while presence is being replaced: a census follows.
    fn tell_presence(&self, message: PresenceMessage) {
        if self.services.presence.cast(message).is_err() {
            tracing::debug!("presence is being replaced");
        }
    }
}

/// What the user of these connections has chosen: the newest that any knows.
pub(super) fn visibility_of(links: &[Link]) -> Option<Visibility> {
    links.iter().map(Link::visibility).max()
}
