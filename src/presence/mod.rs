//! The presence actor: it writes the registry, and sends changes to those who watch,
//! at most once per interval.

mod seen;
mod watchers;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use ractor::{Actor, ActorId, ActorProcessingErr, ActorRef, SupervisionEvent};
use tokio_tungstenite::tungstenite::Utf8Bytes;

use crate::database::Database;
use crate::domain::{SessionFilter, SessionId, UserId, Visibility};
use crate::metrics;
use crate::protocol::{self, PresenceDiff, ServerFrame, User, Watch, wire_count};
use crate::registry::{Change, Heartbeat, InjectedFault, Registry, UserMessage};
use seen::Seen;
pub use seen::store_last;
use watchers::Watchers;

/// A user reports once in this time: a snapshot may be of hundreds of people, and
/// goes to all of the user's connections.
const REPORT_PAUSE: Duration = Duration::from_millis(100);

/// The messages that the presence actor handles.
#[derive(Debug)]
pub enum PresenceMessage {
    /// The user has a connection and is reached through `actor`; repeated when
    /// the actor is replaced. `key` is the normal form of the name; `visibility`
    /// is `None` if the connection is gone again and `Down` is on its way.
    Up { user: User, key: Box<str>, actor: ActorRef<UserMessage>, visibility: Option<Visibility> },
    /// The user's last connection, which was of this session, has gone; with a grace,
    /// unless the user has logged out.
    Down { user: UserId, actor: ActorId, session: Option<SessionId>, grace: bool },
    /// These sessions have ended: a last connection of one of them, gone before, gives
    /// no grace any more.
    LoggedOut { user: UserId, sessions: SessionFilter },
    /// After a restart: every user with a connection has been sent with `Up`, and
    /// these are their actors. A status would not do: an actor whose supervisor
    /// has died may still be about to be killed, and nobody says `Down` for it.
    Reconcile { living: HashSet<ActorId> },
    /// The user's choice.
    Visibility { user: UserId, visibility: Visibility },
    /// What this user's connections watch, all together, and whether all are
    /// idle, where that has changed. Answered with [`UserMessage::Reported`] after
    /// [`REPORT_PAUSE`]; until then the user's actor sends no other.
    Report { user: UserId, watch: Option<Watch>, away: Option<bool> },
    /// A user may report again.
    AllowReport(UserId),
    /// Time for a difference.
    Tick,
    /// The times when users were last seen are stored, except for these.
    Stored(HashMap<UserId, Instant>),
    /// Answer it: the supervisor asks whether messages are handled.
    Heartbeat(Heartbeat),
    /// Have this fault: for tests.
    Fault(InjectedFault),
}

/// What presence is started with.
#[derive(Clone)]
pub struct PresenceArguments {
    pub registry: Arc<Registry>,
    pub database: Database,
    pub settings: PresenceSettings,
}

#[derive(Clone, Copy, Debug)]
pub struct PresenceSettings {
    /// How long a user without a connection still counts as online.
    pub grace: Duration,
    /// At most one difference in this time.
    pub interval: Duration,
    /// Up to this many online, everyone who watches the list gets everyone.
    pub complete: usize,
    /// Beyond that, the bare count goes out this often.
    pub count_interval: Duration,
    /// How often the last-seen times of users online are stored.
    pub seen_interval: Duration,
}

pub struct PresenceState {
    registry: Arc<Registry>,
    settings: PresenceSettings,
    watchers: Watchers,
    seen: Seen,
    /// Whether everyone gets everyone; see [`PresenceState::choose_mode`].
    complete: bool,
    /// Whether somebody got a snapshot since the last difference.
    snapshot_sent: bool,
    counted_at: Instant,
    count_sent: usize,
}

pub struct Presence;

impl Actor for Presence {
    type Msg = PresenceMessage;
    type State = PresenceState;
    type Arguments = PresenceArguments;

    async fn pre_start(
        &self,
        myself: ActorRef<PresenceMessage>,
        arguments: PresenceArguments,
    ) -> Result<PresenceState, ActorProcessingErr> {
        // Ends with the actor.
        myself.send_interval(arguments.settings.interval, || PresenceMessage::Tick);
        Ok(PresenceState {
            registry: arguments.registry,
            settings: arguments.settings,
            seen: Seen::new(arguments.database, arguments.settings.seen_interval),
            watchers: Watchers::default(),
            complete: true,
            snapshot_sent: false,
            counted_at: Instant::now(),
            count_sent: 0,
        })
    }

    async fn handle(
        &self,
        myself: ActorRef<PresenceMessage>,
        message: PresenceMessage,
        state: &mut PresenceState,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            PresenceMessage::Up { user, key, actor, visibility } => {
                state.on_up(user, &key, actor, visibility);
            }
            PresenceMessage::Down { user, actor, session, grace } => {
                state.on_down(user, actor, session, grace);
            }
            PresenceMessage::LoggedOut { user, sessions } => {
                state.registry.online_users_mut().end_grace(user, sessions);
            }
            PresenceMessage::Reconcile { living } => state.on_reconcile(&living),
            PresenceMessage::Visibility { user, visibility } => {
                state.registry.apply_visibility(user, visibility);
            }
            PresenceMessage::Report { user, watch, away } => {
                state.on_report(user, watch, away);
                myself.send_after(REPORT_PAUSE, move || PresenceMessage::AllowReport(user));
            }
            PresenceMessage::AllowReport(user) => state.registry.cast(user, UserMessage::Reported),
            PresenceMessage::Tick => state.on_tick(&myself, Instant::now()),
            PresenceMessage::Stored(again) => state.seen.on_stored(&state.registry, again),
            PresenceMessage::Heartbeat(heartbeat) => heartbeat.answer(),
            PresenceMessage::Fault(fault) => fault.strike().await,
        }
        Ok(())
    }

    async fn handle_supervisor_evt(
        &self,
        _myself: ActorRef<PresenceMessage>,
        _event: SupervisionEvent,
        _state: &mut PresenceState,
    ) -> Result<(), ActorProcessingErr> {
        // It supervises nobody; the default would stop it.
        Ok(())
    }
}

impl PresenceState {
    fn on_up(&mut self, user: User, key: &str, actor: ActorRef<UserMessage>, visibility: Option<Visibility>) {
        self.registry.put(user.id, actor.clone());
        // Only now do results find this actor: the crashed one may have left sends
        // unanswered. If this one has died meanwhile, its successor follows.
        drop(actor.cast(UserMessage::ResubmitInFlight));
        let mut users = self.registry.online_users_mut();
        // If the connection is gone again, the visibility is unknown: show nothing.
        if let Some(visibility) = visibility.or_else(|| users.visibility(user.id)) {
            users.arrive(user, key, visibility);
        }
    }

    fn on_down(&mut self, user: UserId, actor: ActorId, session: Option<SessionId>, grace: bool) {
        let grace = if grace { self.settings.grace } else { Duration::ZERO };
        self.registry.remove(user, actor);
        let now = Instant::now();
        self.registry.online_users_mut().depart(user, session, now, now + grace);
        self.watchers.remove(user);
    }

    fn on_reconcile(&mut self, living: &HashSet<ActorId>) {
        let now = Instant::now();
        self.registry.retain(living);
        let connected = |user| self.registry.get(user).is_some();
        self.registry.online_users_mut().reconcile(connected, now, now + self.settings.grace);
    }

    fn on_report(&mut self, user: UserId, watch: Option<Watch>, away: Option<bool>) {
        if let Some(away) = away {
            self.registry.online_users_mut().set_away(user, away);
        }
        if let Some(watch) = watch {
            self.watchers.set(user, watch);
            self.snapshot_sent = true;
            self.send_snapshot(user);
        }
    }

    fn on_tick(&mut self, myself: &ActorRef<PresenceMessage>, now: Instant) {
        let snapshot_sent = std::mem::take(&mut self.snapshot_sent);
        let difference = self.registry.online_users_mut().difference(now, snapshot_sent);
        self.seen.store(myself, &self.registry, now);
        metrics::users_online(self.count());
        let changed_mode = self.choose_mode();
        match difference {
            _ if changed_mode => {
                self.snapshot_sent = true;
                self.watchers.everyone().for_each(|user| self.send_snapshot(user));
            }
            Some((version, changes)) => self.send_difference(version, &changes),
            None => {}
        }
        if !self.complete && now.duration_since(self.counted_at) >= self.settings.count_interval {
            self.send_count();
            self.counted_at = now;
        }
    }

    /// Whether the mode has changed. It changes back a tenth below the limit,
    /// so that a crowd at the limit does not switch with every change.
    fn choose_mode(&mut self) -> bool {
        let (count, limit) = (self.count(), self.settings.complete);
        let complete = if self.complete { count <= limit } else { count <= limit - limit / 10 };
        std::mem::replace(&mut self.complete, complete) != complete
    }

    fn count(&self) -> usize {
        self.registry.online_users().len()
    }

    fn send_snapshot(&self, user: UserId) {
        let Some(watch) = self.watchers.get(user) else { return };
        let users = self.registry.online_users();
        let complete = self.complete && watch.list;
        let online: Vec<User> = if complete {
            users.iter().cloned().collect()
        } else {
            watch.users.iter().filter_map(|id| users.get(*id).cloned()).collect()
        };
        let frame = ServerFrame::Presence(protocol::Presence {
            version: users.version(),
            count: wire_count(users.len()),
            complete,
            away: online.iter().map(|user| user.id).filter(|user| users.is_away(*user)).collect(),
            online,
        })
        .encode();
        self.registry.cast(user, UserMessage::Presence(frame));
    }

    /// One frame, encoded once, for all who get everyone; for the
    /// others a frame each, only to those who watch one who changed.
    fn send_difference(&self, version: u64, changes: &HashMap<UserId, Change>) {
        let count = wire_count(self.count());
        if self.complete {
            let frame = difference(version, count, changes.iter());
            for user in self.watchers.of_list() {
                self.registry.cast(user, UserMessage::Presence(frame.clone()));
            }
        }
        let mut personal: HashMap<UserId, Vec<(&UserId, &Change)>> = HashMap::new();
        for change in changes {
            for watcher in self.watchers.of_user(*change.0) {
                if !(self.complete && self.watchers.looks_at_list(watcher)) {
                    personal.entry(watcher).or_default().push(change);
                }
            }
        }
        for (watcher, changes) in personal {
            let frame = difference(version, count, changes.into_iter());
            self.registry.cast(watcher, UserMessage::Presence(frame));
        }
    }

    fn send_count(&mut self) {
        let count = self.count();
        if std::mem::replace(&mut self.count_sent, count) == count {
            return;
        }
        let version = self.registry.online_users().version();
        let frame = difference(version, wire_count(count), std::iter::empty());
        for user in self.watchers.of_list() {
            self.registry.cast(user, UserMessage::Presence(frame.clone()));
        }
    }
}

fn difference<'a>(
    version: u64,
    count: u32,
    changes: impl Iterator<Item = (&'a UserId, &'a Change)>,
) -> Utf8Bytes {
    let mut diff = PresenceDiff { version, count, ..PresenceDiff::default() };
    for (id, change) in changes {
        match change {
            Change::Joined { user, away } => {
                diff.joins.push(user.clone());
                diff.away.extend(away.then_some(*id));
            }
            Change::Left => diff.leaves.push(*id),
            Change::Away => diff.away.push(*id),
            Change::Back => diff.back.push(*id),
        }
    }
    ServerFrame::PresenceDiff(diff).encode()
}
