//! Notices to people who have no socket (web push: RFC 8030, 8291, 8292).
//!
//! ```text
//! persistence → queue (newest of each conversation) → station (actor) → database (who has subscribed)
//!                                                        └→ delivery (tasks) → the browsers' push services
//! ```
//!
//! Best effort: the log has the message. Nobody waits for a push, and what is
//! not sent when the server ends is not sent.

mod delivery;
mod notice;
mod queue;
mod service;
mod station;
mod target;
mod vapid;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use web_push_native::p256::SecretKey;

pub use station::{PushMessage, Pusher};

use crate::config::Config;
use crate::database::{Database, DatabaseError, PushTarget};
use crate::directory::{Address, Directory, Settled};
use crate::domain::UserId;
use crate::metrics::{self, PushOutcome};
use crate::protocol::{Problem, Subscription};
use notice::Notice;
use queue::{Offered, Place, Queue};
use service::{Sender, Service};
use vapid::Vapid;

/// The way to the station; one that is off takes nothing. Cheap to clone.
#[derive(Clone, Default)]
pub struct Push(Option<Arc<Shared>>);

/// What the station starts from; the same at every restart.
pub struct PushArguments(Arc<Shared>);

/// What outlives the station's actor.
struct Shared {
    directory: Arc<Directory>,
    database: Database,
    queue: Mutex<Queue>,
    station: Address<PushMessage>,
    vapid: Vapid,
    sender: Sender,
    services: Vec<Arc<Service>>,
}

impl Push {
    /// As set; off also where TLS has nothing to trust.
    pub async fn new(
        config: &Config,
        database: &Database,
        directory: Arc<Directory>,
    ) -> Result<Self, DatabaseError> {
        if !config.push.on {
            return Ok(Self::default());
        }
        let sender = match Sender::new(config.push_timeout) {
            Ok(sender) => sender,
            Err(error) => {
                tracing::warn!(%error, "web push is off: this machine has no certificates to trust");
                return Ok(Self::default());
            }
        };
        let Some(key) = key(config, database).await? else { return Ok(Self::default()) };
        Ok(Self(Some(Arc::new(Shared {
            directory,
            database: database.clone(),
            queue: Mutex::new(Queue::new(config.push_queue, config.push_interval)),
            station: Address::default(),
            vapid: Vapid::new(&key, contact(config)),
            sender,
            services: config.push.services.iter().cloned().map(Service::new).map(Arc::new).collect(),
        }))))
    }

    /// What browsers subscribe with; none when this is off.
    pub fn public_key(&self) -> Option<&str> {
        self.0.as_deref().map(|shared| shared.vapid.public_key())
    }

    /// Reads a subscription; none when this is off.
    pub fn target(&self, given: &Subscription) -> Option<Result<PushTarget, Problem>> {
        self.0.as_deref().map(|shared| target::parse(&shared.services, given))
    }

    /// What to start the station with; none when this is off.
    pub fn arguments(&self) -> Option<PushArguments> {
        self.0.clone().map(PushArguments)
    }

    /// Takes note of the new messages that were committed for somebody who has
    /// no socket. Waits for nothing; what there is no room for is dropped.
    pub fn offer(&self, user: UserId, settled: &[Settled]) {
        let Some(shared) = self.0.as_deref() else { return };
        let (mut is_first, now) = (false, Instant::now());
        let mut queue = shared.queue();
        // Backwards: of each conversation only the newest is made a notice of.
        for committed in settled.iter().rev() {
            let Settled::Event(committed) = committed else { continue };
            // One that had been stored before was pushed then.
            if committed.duplicate {
                continue;
            }
            let message = &committed.message;
            let place = Place { user, conversation: message.conversation };
            match queue.offer(place, message.seq, now, || Notice::of(message)) {
                Offered::TakenFirst => is_first = true,
                Offered::Taken | Offered::Old => {}
                Offered::Full => metrics::pushed(PushOutcome::Dropped),
            }
        }
        metrics::push_queue(queue.len());
        drop(queue);
        if is_first {
            shared.wake();
        }
    }

    /// Makes the station panic: fault injection.
    pub fn crash(&self) {
        if let Some(shared) = self.0.as_deref()
            && shared.station.cast(PushMessage::Crash).is_err()
        {
            tracing::debug!("the station to crash was being replaced already");
        }
    }
}

impl Shared {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lost while the station is being replaced: the new one looks by itself.
    fn wake(&self) {
        drop(self.station.cast(PushMessage::Look));
    }
}

/// The one that is set, else the one that the database keeps.
async fn key(config: &Config, database: &Database) -> Result<Option<SecretKey>, DatabaseError> {
    if let Some(key) = &config.push.key {
        return Ok(Some(key.clone()));
    }
    let fresh = match vapid::fresh_scalar() {
        Ok(fresh) => fresh,
        Err(error) => {
            tracing::error!(%error, "web push is off: no key could be made");
            return Ok(None);
        }
    };
    let kept = SecretKey::from_slice(&database.push_key(fresh).await?);
    if let Err(error) = &kept {
        tracing::error!(%error, "web push is off: the database keeps a key that is none");
    }
    Ok(kept.ok())
}

fn contact(config: &Config) -> Option<String> {
    let page = || config.origins.iter().find(|origin| origin.starts_with("https://")).cloned();
    config.push.contact.clone().or_else(page)
}
