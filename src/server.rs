//! Wires everything together. `Server::start` returns once the server answers;
//! `shutdown` flushes, closes the connections and ends the server.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use ractor::{Actor, ActorRef};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use crate::bus::Bus;
use crate::config::Config;
use crate::database::{Database, DatabaseError};
use crate::domain::{Quota, Rate};
use crate::persistence::Persistence;
use crate::presence;
use crate::push::Push;
use crate::registry::{ActorSlot, CloseReason, Registry};
use crate::supervisor::{Supervisor, SupervisorArguments, SupervisorMessage};
use crate::user::{ReplayLimits, Services};
use crate::web::{self, Listeners};

/// In which quotas come again.
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// A running server.
pub struct Server {
    address: SocketAddr,
    metrics_address: Option<SocketAddr>,
    services: Arc<Services>,
    supervisor: (ActorRef<SupervisorMessage>, JoinHandle<()>),
    web: JoinHandle<()>,
    stop_web: watch::Sender<bool>,
    failed: watch::Receiver<bool>,
}

/// Why a server does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("{0}")]
    Database(#[from] DatabaseError),
    #[error("the listener has no address: {0}")]
    Listener(io::Error),
    #[error("a station does not start: {0}")]
    Station(#[from] ractor::SpawnErr),
}

impl Server {
    /// Serves on `listeners` with the database at `database_url`, which is
    /// brought up to date first.
    pub async fn start(config: Config, database_url: &str, listeners: Listeners) -> Result<Self, StartError> {
        let address = listeners.public.local_addr().map_err(StartError::Listener)?;
        let metrics_address = listeners.operators.as_ref().map(TcpListener::local_addr).transpose();
        let metrics_address = metrics_address.map_err(StartError::Listener)?;
        let config = Arc::new(config);
        let database = Database::connect(database_url, &config).await?;
        database.migrate().await?;
        for warning in database.durability().await? {
            tracing::warn!(setting = warning.setting, "A PROMISE DOES NOT HOLD: {}", warning.message);
        }
        if config.faults {
            tracing::warn!("FAULT INJECTION IS ON (TIDINGS_FAULTS): every user can make the server fail");
        }
        let registry = Arc::new(Registry::default());
        let bus = Bus::new(registry.clone());
        let push = Push::new(&config, &database, registry.clone(), bus.clone()).await?;
        let services = Arc::new(Services {
            epoch: database.epoch().await?.to_string(),
            persistence: Persistence::new(
                &config,
                database.options().clone(),
                registry.clone(),
                bus.clone(),
                push.clone(),
            ),
            presence: ActorSlot::default(),
            push,
            replays: ReplayLimits::new(&config),
            bus,
            late_stations: ArcSwap::default(),
            storage_quota: Quota::new(Rate::within(DAY, config.stored_bytes_per_day as u64)),
            config,
            database,
            registry,
        });
        let (failed_sender, failed) = watch::channel(false);
        let arguments = SupervisorArguments { services: services.clone(), failed: failed_sender };
        let supervisor = Actor::spawn(None, Supervisor, arguments).await?;
        let (stop_web, mut stopped) = watch::channel(false);
        let served = services.clone();
        let web = tokio::spawn(async move {
            web::serve(listeners, served, async move {
                // An error is a server that was dropped: stop as well.
                drop(stopped.wait_for(|stop| *stop).await);
            })
            .await;
        });
        Ok(Self { address, metrics_address, services, supervisor, web, stop_web, failed })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where it serves metrics.
    pub fn metrics_address(&self) -> Option<SocketAddr> {
        self.metrics_address
    }

    /// Ends when the server cannot go on: a station dies again and again, or
    /// the supervisor itself is dead.
    pub async fn failed(&mut self) {
        // An error is a dead supervisor.
        drop(self.failed.wait_for(|failed| *failed).await);
    }

    /// Stops accepting, commits what has been accepted, closes every socket
    /// (spread out, so that not all come back at once), and ends. Bounded by
    /// the setting `shutdown_timeout`; false when that was not enough.
    pub async fn shutdown(self) -> bool {
        let bound = self.services.config.shutdown_timeout;
        timeout(bound, self.wind_down()).await.is_ok()
    }

    async fn wind_down(self) {
        self.stop_web.send_replace(true);
        self.services.persistence.flush().await;
        self.dismiss().await;
        // What was sent between the two.
        self.services.persistence.flush().await;
        if let Err(error) = presence::store_last(&self.services.database, &self.services.registry).await {
            tracing::warn!(%error, "it is not stored who was here last");
        }
        let (supervisor, task) = self.supervisor;
        supervisor.stop(None);
        for (task, what) in [(task, "supervisor"), (self.web, "web server")] {
            if let Err(error) = task.await {
                tracing::error!(what, %error, "a task did not end well");
            }
        }
        self.services.database.close().await;
    }

    /// Closes the sockets one by one and waits until they are gone.
    async fn dismiss(&self) {
        let connections = self.services.registry.connections().all();
        let count = u32::try_from(connections.len()).unwrap_or(u32::MAX).max(1);
        let pause = self.services.config.shutdown_spread / count;
        let mut owed = Duration::ZERO;
        for connection in connections {
            connection.close(CloseReason::Restart);
            owed += pause;
            // Timers have milliseconds.
            if owed >= Duration::from_millis(1) {
                sleep(owed).await;
                owed = Duration::ZERO;
            }
        }
        while !self.services.registry.connections().is_empty() {
            sleep(Duration::from_millis(5)).await;
        }
    }
}
