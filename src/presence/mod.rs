//! The registry of who is here: an actor that writes the directory and tells
//! those who look, at most once an interval.

mod seen;
mod watchers;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use ractor::{Actor, ActorId, ActorProcessingErr, ActorRef, SupervisionEvent};
use tokio_tungstenite::tungstenite::Utf8Bytes;

use crate::database::Database;
use crate::directory::{Change, Directory, UserMessage};
use crate::domain::{UserId, Visibility};
use crate::metrics;
use crate::protocol::{self, PresenceDiff, ServerFrame, User, Watch, wire_count};
use seen::Seen;
pub use seen::store_last;
use watchers::Watchers;

/// What may be said to the presence actor.
#[derive(Debug)]
pub enum PresenceMessage {
    /// The user has a connection and is reached through `actor`; repeated when
    /// the actor is replaced. `key` is the normal form of the name; `visibility`
    /// is none when the connection has gone again, and `Down` is on its way.
    Up { user: User, key: Box<str>, actor: ActorRef<UserMessage>, visibility: Option<Visibility> },
    /// The user's last connection has gone; with a grace, unless the user has
    /// logged out.
    Down { user: UserId, actor: ActorId, grace: bool },
    /// After a restart: everyone with a connection has been told with `Up`, and
    /// these are their actors. A status would not tell: one whose supervisor
    /// has died may still be about to be killed, and nobody says `Down` for it.
    Counted { living: HashSet<ActorId> },
    /// Whether all of the user's connections are idle.
    Activity { user: UserId, away: bool },
    /// What the user has chosen.
    Visibility { user: UserId, visibility: Visibility },
    /// What this user's connections look at, all together.
    Watch { user: UserId, watch: Watch },
    /// Time for a difference.
    Tick,
    /// Who was last here when is stored, or has to be stored again: these.
    Stored(HashMap<UserId, Instant>),
    /// Fault injection: panic.
    Crash,
}

/// What presence needs to know.
#[derive(Clone)]
pub struct PresenceArguments {
    pub directory: Arc<Directory>,
    pub database: Database,
    pub settings: PresenceSettings,
}

#[derive(Clone, Copy, Debug)]
pub struct PresenceSettings {
    /// How long a user without a connection still counts as online.
    pub grace: Duration,
    /// At most one difference in this time.
    pub interval: Duration,
    /// Up to this many online, everyone who looks is told of everyone.
    pub complete: usize,
    /// Beyond that, the bare count goes out this often.
    pub count_interval: Duration,
    /// It is stored this often that those online are still here.
    pub seen_interval: Duration,
}

pub struct PresenceState {
    directory: Arc<Directory>,
    settings: PresenceSettings,
    watchers: Watchers,
    seen: Seen,
    /// Whether everyone is told of everyone; see [`PresenceState::choose_mode`].
    complete: bool,
    /// Whether somebody was shown the roster since the last difference.
    looked: bool,
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
            directory: arguments.directory,
            settings: arguments.settings,
            seen: Seen::new(arguments.database, arguments.settings.seen_interval),
            watchers: Watchers::default(),
            complete: true,
            looked: false,
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
            PresenceMessage::Down { user, actor, grace } => state.on_down(user, actor, grace),
            PresenceMessage::Counted { living } => state.on_counted(&living),
            PresenceMessage::Activity { user, away } => state.directory.roster_mut().set_away(user, away),
            PresenceMessage::Visibility { user, visibility } => {
                state.directory.learn_visibility(user, visibility);
            }
            PresenceMessage::Watch { user, watch } => state.on_watch(user, watch),
            PresenceMessage::Tick => state.on_tick(&myself, Instant::now()),
            PresenceMessage::Stored(again) => state.seen.on_stored(&state.directory, again),
            PresenceMessage::Crash => panic!("presence: fault injected"),
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
        self.directory.put(user.id, actor.clone());
        // Only now do answers find it: what the one before may not have brought
        // to an end. An actor that has died meanwhile comes up again by another.
        drop(actor.cast(UserMessage::Resubmit));
        let mut roster = self.directory.roster_mut();
        // Of somebody who has gone again nothing is shown on a guess.
        if let Some(visibility) = visibility.or_else(|| roster.visibility(user.id)) {
            roster.arrive(user, key, visibility);
        }
    }

    fn on_down(&mut self, user: UserId, actor: ActorId, grace: bool) {
        let grace = if grace { self.settings.grace } else { Duration::ZERO };
        self.directory.remove(user, actor);
        let now = Instant::now();
        self.directory.roster_mut().depart(user, now, now + grace);
        self.watchers.remove(user);
    }

    fn on_counted(&mut self, living: &HashSet<ActorId>) {
        let now = Instant::now();
        self.directory.retain(living);
        let connected = |user| self.directory.get(user).is_some();
        self.directory.roster_mut().reconcile(connected, now, now + self.settings.grace);
    }

    fn on_watch(&mut self, user: UserId, watch: Watch) {
        self.watchers.set(user, watch);
        self.looked = true;
        self.send_snapshot(user);
    }

    fn on_tick(&mut self, myself: &ActorRef<PresenceMessage>, now: Instant) {
        let looked = std::mem::take(&mut self.looked);
        let difference = self.directory.roster_mut().difference(now, looked);
        self.seen.store(myself, &self.directory, now);
        metrics::users_online(self.count());
        let changed_mode = self.choose_mode();
        match difference {
            _ if changed_mode => {
                self.looked = true;
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
        self.directory.roster().len()
    }

    fn send_snapshot(&self, user: UserId) {
        let Some(watch) = self.watchers.get(user) else { return };
        let roster = self.directory.roster();
        let complete = self.complete && watch.list;
        let online: Vec<User> = if complete {
            roster.iter().cloned().collect()
        } else {
            watch.users.iter().filter_map(|id| roster.get(*id).cloned()).collect()
        };
        let frame = ServerFrame::Presence(protocol::Presence {
            version: roster.version(),
            count: wire_count(roster.len()),
            complete,
            away: online.iter().map(|user| user.id).filter(|user| roster.is_away(*user)).collect(),
            online,
        })
        .encode();
        self.directory.tell(user, UserMessage::Presence(frame));
    }

    /// One frame, encoded once, for all who are told of everyone; for the
    /// others a frame each, only to those who watch one who changed.
    fn send_difference(&self, version: u64, changes: &HashMap<UserId, Change>) {
        let count = wire_count(self.count());
        if self.complete {
            let frame = difference(version, count, changes.iter());
            for user in self.watchers.of_list() {
                self.directory.tell(user, UserMessage::Presence(frame.clone()));
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
            self.directory.tell(watcher, UserMessage::Presence(frame));
        }
    }

    fn send_count(&mut self) {
        let count = self.count();
        if std::mem::replace(&mut self.count_sent, count) == count {
            return;
        }
        let version = self.directory.roster().version();
        let frame = difference(version, wire_count(count), std::iter::empty());
        for user in self.watchers.of_list() {
            self.directory.tell(user, UserMessage::Presence(frame.clone()));
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
