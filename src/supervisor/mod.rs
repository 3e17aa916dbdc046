//! The root of the supervision tree: starts the stations and starts them again
//! when they die. When one dies too often, the process ends with an error: a
//! fresh start is then the better repair.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ractor::{Actor, ActorId, ActorProcessingErr, ActorRef, SpawnErr, SupervisionEvent};
use tokio::sync::watch;

use crate::domain::Budget;
use crate::metrics;
use crate::persistence::Writer;
use crate::presence::{Presence, PresenceArguments, PresenceSettings};
use crate::push::Pusher;
use crate::user::{Services, UsersMessage, UsersSupervisor};

/// Restarts of one station within [`RESTART_WINDOW`]; one more ends the process.
const RESTARTS_MAX: usize = 10;
const RESTART_WINDOW: Duration = Duration::from_secs(60);

/// The root takes no orders.
#[derive(Debug)]
pub enum SupervisorMessage {}

pub struct SupervisorArguments {
    pub services: Arc<Services>,
    /// Set to true when a station is beyond repair.
    pub failed: watch::Sender<bool>,
}

pub struct SupervisorState {
    services: Arc<Services>,
    failed: watch::Sender<bool>,
    stations: HashMap<ActorId, Station>,
    budgets: HashMap<Station, Budget>,
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
            SupervisorState { services, failed, stations: HashMap::new(), budgets: HashMap::new() };
        let writers = (0..state.services.persistence.writers()).map(Station::Writer);
        // Whoever is spoken to comes before who speaks.
        for station in [Station::Presence, Station::Push].into_iter().chain(writers).chain([Station::Users]) {
            state.start(&myself, station).await?;
        }
        Ok(state)
    }

    async fn handle_supervisor_evt(
        &self,
        myself: ActorRef<SupervisorMessage>,
        event: SupervisionEvent,
        state: &mut SupervisorState,
    ) -> Result<(), ActorProcessingErr> {
        // They end without failing only when the server stops.
        if let SupervisionEvent::ActorFailed(cell, error) = event {
            state.on_failed(&myself, cell.get_id(), &error.to_string()).await;
        }
        Ok(())
    }
}

impl SupervisorState {
    async fn on_failed(&mut self, myself: &ActorRef<SupervisorMessage>, actor: ActorId, error: &str) {
        let Some(station) = self.stations.remove(&actor) else { return };
        tracing::error!(?station, error, "a station died");
        metrics::restarted(station.name());
        let budget = self.budgets.entry(station).or_insert_with(|| Budget::new(RESTARTS_MAX, RESTART_WINDOW));
        if !budget.spend(Instant::now()) {
            tracing::error!(?station, "it dies again and again; giving up");
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
        let actor = match station {
            Station::Presence => {
                let (actor, _task) =
                    Actor::spawn_linked(None, Presence, presence_arguments(services), root).await?;
                services.presence.set(actor.clone());
                actor.get_id()
            }
            Station::Push => {
                // Where it is off there is none.
                let Some(arguments) = services.push.arguments() else { return Ok(()) };
                // It makes itself known.
                let (actor, _task) = Actor::spawn_linked(None, Pusher, arguments, root).await?;
                actor.get_id()
            }
            Station::Users => {
                // It makes itself known.
                let (actor, _task) =
                    Actor::spawn_linked(None, UsersSupervisor, services.clone(), root).await?;
                actor.get_id()
            }
            Station::Writer(index) => {
                let persistence = &services.persistence;
                let (actor, _task) = Actor::spawn_linked(None, Writer, persistence.arguments(), root).await?;
                persistence.install(index, actor.clone());
                actor.get_id()
            }
        };
        self.stations.insert(actor, station);
        Ok(())
    }

    /// A station is new: whoever spoke to the one before says it again.
    fn announce(&self, station: Station) {
        match station {
            Station::Presence => {
                // When the users' supervisor is dead too, it counts when it starts.
                drop(self.services.users.address().cast(UsersMessage::Census));
            }
            Station::Writer(_) => self.services.directory.ask_to_resubmit(),
            Station::Push | Station::Users => {}
        }
    }
}

fn presence_arguments(services: &Services) -> PresenceArguments {
    let config = &services.config;
    PresenceArguments {
        directory: services.directory.clone(),
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
