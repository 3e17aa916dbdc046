//! Push notifications to users without a connection (web push: RFC 8030, 8291, 8292).
//!
//! ```text
//! persistence → queue (newest of each conversation) → dispatcher (actor) → database (subscriptions)
//!                                                           └→ delivery (tasks) → the browsers' push services
//! ```
//!
//! Best effort: the log has the message. Nothing waits for a push, and pushes that are
//! not sent when the server stops are lost.

mod delivery;
mod dispatcher;
mod endpoint;
mod message;
mod notification;
mod queue;
mod service;
mod vapid;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use web_push_native::p256::SecretKey;

pub use dispatcher::PushDispatcher;
pub use message::PushMessage;

use crate::bus::{Bus, EventDelivery, Recipients};
use crate::config::Config;
use crate::database::{Database, DatabaseError, PushSubscription};
use crate::domain::UserId;
use crate::metrics::{self, PushOutcome};
use crate::protocol::{Problem, Subscription};
use crate::registry::{ActorSlot, InjectedFault, Registry};
use notification::{Notification, NotificationKey};
use queue::{OfferOutcome, Queue};
use service::{PushClient, Service};
use vapid::Vapid;

/// A handle to the dispatcher; does nothing if push is off. Cheap to clone.
#[derive(Clone, Default)]
pub struct Push(Option<Arc<Shared>>);

/// What the dispatcher is started with; the same at every restart.
pub struct PushArguments(Arc<Shared>);

/// What outlives the dispatcher.
struct Shared {
    registry: Arc<Registry>,
    bus: Bus,
    database: Database,
    queue: Mutex<Queue>,
    dispatcher: ActorSlot<PushMessage>,
    vapid: Vapid,
    client: PushClient,
    services: Vec<Arc<Service>>,
}

impl Push {
    /// Push as configured; off if there are no trusted certificates.
    pub async fn new(
        config: &Config,
        database: &Database,
        registry: Arc<Registry>,
        bus: Bus,
    ) -> Result<Self, DatabaseError> {
        if !config.push.on {
            return Ok(Self::default());
        }
        let client = match PushClient::new(config.push_timeout) {
            Ok(client) => client,
            Err(error) => {
                tracing::warn!(%error, "web push is off: this machine has no certificates to trust");
                return Ok(Self::default());
            }
        };
        let Some(key) = key(config, database).await? else { return Ok(Self::default()) };
        Ok(Self(Some(Arc::new(Shared {
            registry,
            bus,
            database: database.clone(),
            queue: Mutex::new(Queue::new(config.push_queue, config.push_interval)),
            dispatcher: ActorSlot::default(),
            vapid: Vapid::new(&key, contact(config)),
            client,
            services: config.push.services.iter().cloned().map(Service::new).map(Arc::new).collect(),
        }))))
    }

    /// The key that browsers subscribe with; `None` if push is off.
    pub fn public_key(&self) -> Option<&str> {
        self.0.as_deref().map(|shared| shared.vapid.public_key())
    }

    /// Parses a subscription; `None` if push is off.
    pub fn parse_subscription(&self, given: &Subscription) -> Option<Result<PushSubscription, Problem>> {
        self.0.as_deref().map(|shared| endpoint::parse(&shared.services, given))
    }

    /// What to start the dispatcher with; `None` if push is off.
    pub fn arguments(&self) -> Option<PushArguments> {
        self.0.clone().map(PushArguments)
    }

    /// Queues notifications of new messages to the other one of a direct conversation,
    /// if that user has no connection. Never waits; drops what there is no room for.
    pub fn notify(&self, events: &[EventDelivery]) {
        let Some(shared) = self.0.as_deref() else { return };
        let (mut is_first, now) = (false, Instant::now());
        // Backwards: only the newest message of each conversation becomes a notification.
        for EventDelivery { stored, to } in events.iter().rev() {
            let event = &stored.event;
            // A duplicate was pushed when it was stored first.
            if stored.duplicate || !event.content.kind().notifies() {
                continue;
            }
            let Recipients::Direct(pair) = to else { continue };
            let absent = |user: &UserId| !shared.bus.is_connected(*user);
            let Some(user) = pair.other(event.sender).filter(absent) else { continue };
            let key = NotificationKey { user, conversation: event.conversation };
            match shared.queue().offer(key, event.seq, now, || Notification::of(event)) {
                OfferOutcome::QueuedFirst => is_first = true,
                OfferOutcome::Queued | OfferOutcome::Outdated => {}
                OfferOutcome::Full => metrics::pushed(PushOutcome::Dropped),
            }
        }
        if is_first {
            shared.wake();
        }
    }

    /// Makes the dispatcher have a fault.
    pub fn inject(&self, fault: InjectedFault) {
        if let Some(shared) = self.0.as_deref()
            && shared.dispatcher.cast(PushMessage::Fault(fault)).is_err()
        {
            tracing::debug!("the dispatcher to have a fault was being replaced already");
        }
    }
}

impl Shared {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The message is lost while the dispatcher is being replaced: the new one looks by itself.
    fn wake(&self) {
        drop(self.dispatcher.cast(PushMessage::Dispatch));
    }
}

/// The key of the settings, else the one that the database keeps.
async fn key(config: &Config, database: &Database) -> Result<Option<SecretKey>, DatabaseError> {
    if let Some(key) = &config.push.key {
        return Ok(Some(key.clone()));
    }
    let fresh = match vapid::generate_key() {
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
    let page = || {
        let https = config.origins.iter().find(|origin| origin.is_https());
        https.map(|origin| origin.as_str().to_owned())
    };
    config.push.contact.clone().or_else(page)
}
