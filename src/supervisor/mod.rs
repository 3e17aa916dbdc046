//! The root of the supervision tree: starts the stations and starts them again
//! when they die, or no longer answer. When that happens too often, the process
//! ends with an error: a fresh start is then the better repair.

mod heart;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ractor::{Actor, ActorId, ActorProcessingErr, ActorRef, SpawnErr, SupervisionEvent};
use tokio::sync::watch;

use crate::domain::RestartIntensity;
use crate::metrics;
use crate::persistence::{PersistenceMessage, Writer};
use crate::presence::{Presence, PresenceArguments, PresenceMessage, PresenceSettings};
use crate::push::{PushDispatcher, PushMessage};
use crate::registry::UserSupervisorMessage;
use crate::user::{Services, UserSupervisor};
use heart::{Heart, Pulse};

/// Restarts of one station within [`RESTART_WINDOW`]; one more ends the process.
const RESTARTS_MAX: usize = 10;
const RESTART_WINDOW: Duration = Duration::from_secs(60);

/// How often the stations are asked whether they still handle messages.
const BEAT: Duration = Duration::from_secs(1);

/// The messages that the supervisor handles.
#[derive(Debug)]
pub enum SupervisorMessage {
    /// Check whether the stations answer.
    Beat,
}

pub struct SupervisorArguments {
    pub services: Arc<Services>,
    /// Set to true when a station is beyond repair.
    pub failed: watch::Sender<bool>,
}

pub struct SupervisorState {
    services: Arc<Services>,
    failed: watch::Sender<bool>,
    stations: HashMap<ActorId, (Station, Heart)>,
    intensities: HashMap<Station, RestartIntensity>,
}

/// A child of the root.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Station {
    Presence,
    Push,
    Users,
    Writer(usize),
}

impl Station {
    fn name(self) -> &'static str {
        match self {
            Self::Presence => "presence",
            Self::Push => "push",
            Self::Users => "users",
            Self::Writer(_) => "persistence",
        }
    }
}

pub struct Supervisor;

impl Actor for Supervisor {
    type Msg = SupervisorMessage;
    type State = SupervisorState;
    type Arguments = SupervisorArguments;

    async fn pre_start(
        &self,
        myself: ActorRef<SupervisorMessage>,
        arguments: SupervisorArguments,
    ) -> Result<SupervisorState, ActorProcessingErr> {
        let SupervisorArguments { services, failed } = arguments;
        let mut state =
            SupervisorState { services, failed, stations: HashMap::new(), intensities: HashMap::new() };
        let writers = (0..state.services.persistence.writers()).map(Station::Writer);
        // Stations that are sent messages start before those that send them.
        for station in [Station::Presence, Station::Push].into_iter().chain(writers).chain([Station::Users]) {
            state.start(&myself, station).await?;
        }
        // One at a time: an interval would catch up on ticks that a suspended process missed.
        myself.send_after(BEAT, || SupervisorMessage::Beat);
        Ok(state)
    }

    async fn handle(
        &self,
        myself: ActorRef<SupervisorMessage>,
        message: SupervisorMessage,
        state: &mut SupervisorState,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            SupervisorMessage::Beat => state.on_beat(&myself).await,
        }
        myself.send_after(BEAT, || SupervisorMessage::Beat);
        Ok(())
    }

    async fn handle_supervisor_evt(
        &self,
        myself: ActorRef<SupervisorMessage>,
        event: SupervisionEvent,
        state: &mut SupervisorState,
    ) -> Result<(), ActorProcessingErr> {
        // They end without failing only when the server stops, or when they are killed
        // here, and have been replaced by then.
        if let SupervisionEvent::ActorFailed(cell, error) = event {
            state.on_failed(&myself, cell.get_id(), &error.to_string()).await;
        }
        Ok(())
    }
}

impl SupervisorState {
    /// Replaces the stations that are stuck, and publishes those that are late.
    async fn on_beat(&mut self, myself: &ActorRef<SupervisorMessage>) {
        let (mut late, mut stuck) = (Vec::new(), Vec::new());
        for (actor, (station, heart)) in &mut self.stations {
            match heart.beat() {
                Pulse::Well => {}
                Pulse::Late => late.push(station.name()),
                Pulse::Stuck => stuck.push(*actor),
            }
        }
        self.services.late_stations.store(Arc::new(late));
        for actor in stuck {
            if let Some((station, heart)) = self.stations.remove(&actor) {
                tracing::error!(?station, "a station does not answer");
                heart.kill();
                self.replace(myself, station).await;
            }
        }
    }

    async fn on_failed(&mut self, myself: &ActorRef<SupervisorMessage>, actor: ActorId, error: &str) {
        // One that was replaced because it did not answer may fail later.
        let Some((station, _)) = self.stations.remove(&actor) else { return };
        tracing::error!(?station, error, "a station died");
        self.replace(myself, station).await;
    }

    async fn replace(&mut self, myself: &ActorRef<SupervisorMessage>, station: Station) {
        metrics::restarted(station.name());
        let intensity = self
            .intensities
            .entry(station)
            .or_insert_with(|| RestartIntensity::new(RESTARTS_MAX, RESTART_WINDOW));
        if !intensity.record(Instant::now()) {
            tracing::error!(?station, "it fails again and again; giving up");
            self.failed.send_replace(true);
            return;
        }
        match self.start(myself, station).await {
            Ok(()) => self.announce(station),
            Err(error) => {
                tracing::error!(?station, %error, "it does not start again; giving up");
                self.failed.send_replace(true);
            }
        }
    }

    async fn start(
        &mut self,
        myself: &ActorRef<SupervisorMessage>,
        station: Station,
    ) -> Result<(), SpawnErr> {
        let (services, root) = (&self.services, myself.get_cell());
        let heart = match station {
            Station::Presence => {
                let (actor, _task) =
                    Actor::spawn_linked(None, Presence, presence_arguments(services), root).await?;
                let heart = Heart::of(&actor, PresenceMessage::Heartbeat);
                services.presence.set(actor);
                heart
            }
            Station::Push => {
                // Where it is off there is none.
                let Some(arguments) = services.push.arguments() else { return Ok(()) };
                // It makes itself known.
                let (actor, _task) = Actor::spawn_linked(None, PushDispatcher, arguments, root).await?;
                Heart::of(&actor, PushMessage::Heartbeat)
            }
            Station::Users => {
                // It makes itself known.
                let (actor, _task) =
                    Actor::spawn_linked(None, UserSupervisor, services.clone(), root).await?;
                Heart::of(&actor, UserSupervisorMessage::Heartbeat)
            }
            Station::Writer(index) => {
                let persistence = &services.persistence;
                let arguments = persistence.arguments(index);
                let (actor, _task) = Actor::spawn_linked(None, Writer, arguments, root).await?;
                let heart = Heart::of(&actor, PersistenceMessage::Heartbeat);
                persistence.install(index, actor);
                heart
            }
        };
        self.stations.insert(heart.actor(), (station, heart));
        Ok(())
    }

    /// A station was replaced: has what its predecessor may have lost sent again.
    fn announce(&self, station: Station) {
        match station {
            Station::Presence => {
                // If the users' supervisor is dead too, it reconciles when it starts.
                drop(
                    self.services.registry.connections().supervisor().cast(UserSupervisorMessage::Reconcile),
                );
            }
            Station::Writer(_) => self.services.registry.resubmit_in_flight(),
            Station::Push | Station::Users => {}
        }
    }
}

fn presence_arguments(services: &Services) -> PresenceArguments {
    let config = &services.config;
    PresenceArguments {
        registry: services.registry.clone(),
        database: services.database.clone(),
        settings: PresenceSettings {
            grace: config.presence_grace,
            interval: config.presence_interval,
            complete: config.presence_complete,
            count_interval: config.presence_count_interval,
            seen_interval: config.presence_seen_interval,
        },
    }
}
