use std::collections::HashMap;
use std::time::{Duration, Instant};

use ractor::ActorRef;

use super::PresenceMessage;
use crate::database::{Database, DatabaseError};
use crate::domain::UserId;
use crate::registry::Registry;

/// Stores when people were last here: of those who left, soon, and of those
/// online now and then, so that a killed server knows it of them too. One
/// statement at a time, whoever and how many they are.
pub struct Seen {
    database: Database,
    interval: Duration,
    /// When it was last stored of those online.
    everyone_at: Option<Instant>,
    is_storing: bool,
}

impl Seen {
    pub fn new(database: Database, interval: Duration) -> Self {
        Self { database, interval, everyone_at: None, is_storing: false }
    }

    /// Begins to store what is due, if anything is.
    pub fn store(&mut self, myself: &ActorRef<PresenceMessage>, registry: &Registry, now: Instant) {
        if self.is_storing {
            return;
        }
        let mut seen = registry.online_users_mut().take_left();
        if self.everyone_at.is_none_or(|at| now.duration_since(at) >= self.interval) {
            self.everyone_at = Some(now);
            seen.extend(registry.online_users().seen(now));
        }
        if seen.is_empty() {
            return;
        }
        self.is_storing = true;
        let (database, myself) = (self.database.clone(), myself.clone());
        tokio::spawn(async move {
            let again = match database.store_last_seen(&seen).await {
                Ok(()) => HashMap::new(),
                Err(error) => {
                    tracing::warn!(%error, "it is not stored who was last here; trying again");
                    seen
                }
            };
            // A new presence actor stores anew: what is lost is at most an interval.
            drop(myself.cast(PresenceMessage::Stored(again)));
        });
    }

    pub fn on_stored(&mut self, registry: &Registry, again: HashMap<UserId, Instant>) {
        self.is_storing = false;
        registry.online_users_mut().give_back_left(again);
    }
}

/// At the end of the server: who was here until now, or has just left.
pub async fn store_last(database: &Database, registry: &Registry) -> Result<(), DatabaseError> {
    let mut seen = registry.online_users_mut().take_left();
    seen.extend(registry.online_users().seen(Instant::now()));
    database.store_last_seen(&seen).await
}
