use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::FutureExt;
use ractor::ActorRef;
use sqlx::postgres::PgConnectOptions;
use tokio::sync::mpsc;

use super::PersistenceMessage;
use super::batch::Batch;
use super::buffer::Work;
use crate::database::{Appended, Log, Position, PositionChange, WriteError};
use crate::domain::{ConversationId, Members};
use crate::registry::{Group, Registry};

/// PostgreSQL cancels a hung statement itself, earlier; this ends the wait for
/// a PostgreSQL that vanished without closing, and for a hung commit.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(45);

/// Owns a writer's connection and does its work, one piece at a time, so that
/// the actor never waits for the database.
pub struct Committer {
    options: PgConnectOptions,
    registry: Arc<Registry>,
    log: Option<Log>,
}

/// A result, with the groups it is about: as long as they are held, their members are
/// known for the delivery.
pub type WithGroups<T> = (T, Vec<Arc<Group>>);

/// The result of a piece of work.
pub enum WorkDone {
    Messages {
        batch: Batch,
        result: Result<WithGroups<Appended>, WriteError>,
        took: Duration,
    },
    Positions {
        positions: Vec<Position>,
        result: Result<WithGroups<Vec<PositionChange>>, WriteError>,
    },
    /// A bug; the work is lost.
    Panicked,
}

impl Committer {
    pub fn new(options: PgConnectOptions, registry: Arc<Registry>) -> Self {
        Self { options, registry, log: None }
    }

    /// Runs until the actor is gone; the present piece of work is still finished.
    pub async fn run(mut self, mut work: mpsc::Receiver<Work>, actor: ActorRef<PersistenceMessage>) {
        while let Some(work) = work.recv().await {
            let done = AssertUnwindSafe(self.perform(work)).catch_unwind().await;
            let done = done.unwrap_or(WorkDone::Panicked);
            if actor.cast(PersistenceMessage::WorkDone(Box::new(done))).is_err() {
                // The next incarnation finds what was stored by its client ids.
                return;
            }
        }
    }

    async fn perform(&mut self, work: Work) -> WorkDone {
        match work {
            Work::Messages(batch) => {
                let begun = Instant::now();
                let registry = self.registry.clone();
                let append = async |log: &mut Log| {
                    let appended = log.append(&batch.events()).await?;
                    let members = appended.members.iter().map(|(id, members)| (*id, *members));
                    let groups = groups(log, &registry, members).await?;
                    Ok((appended, groups))
                };
                let result = self.attempt(append).await;
                WorkDone::Messages { batch, result, took: begun.elapsed() }
            }
            Work::Positions(positions) => {
                let registry = self.registry.clone();
                let advance = async |log: &mut Log| {
                    let changes = log.advance(&positions).await?;
                    let groups = groups(log, &registry, changes.iter().filter_map(advanced)).await?;
                    Ok((changes, groups))
                };
                let result = self.attempt(advance).await;
                WorkDone::Positions { positions, result }
            }
        }
    }

    async fn attempt<T>(
        &mut self,
        statement: impl AsyncFnOnce(&mut Log) -> Result<T, WriteError>,
    ) -> Result<T, WriteError> {
        // Taken out, so that an attempt that times out leaves no connection behind.
        let log = self.log.take();
        let attempt = async {
            let mut log = match log {
                Some(log) => log,
                None => Log::open(&self.options).await?,
            };
            let result = statement(&mut log).await;
            Ok((log, result))
        };
        let (log, result) = tokio::time::timeout(ATTEMPT_TIMEOUT, attempt)
            .await
            .unwrap_or_else(|_| Err(WriteError::timed_out()))?;
        // After any other error the connection is broken, or leads to a server that has
        // become a standby.
        if matches!(result, Ok(_) | Err(WriteError::Conflict(_) | WriteError::Rejected(_))) {
            self.log = Some(log);
        }
        result
    }
}

/// The groups among these conversations. Members that are not remembered are read; if that
/// fails, the work is tried again, and finds itself done.
async fn groups(
    log: &mut Log,
    registry: &Registry,
    conversations: impl Iterator<Item = (ConversationId, Members)>,
) -> Result<Vec<Arc<Group>>, WriteError> {
    let (mut known, mut unknown) = (Vec::new(), Vec::new());
    for (id, members) in conversations {
        match members {
            Members::Direct(_) => {}
            Members::Group => match registry.groups().get(id) {
                Some(group) => known.push(group),
                None => unknown.push(id),
            },
        }
    }
    while !unknown.is_empty() {
        let revision = registry.groups().revision();
        for (id, members) in log.group_members(&unknown).await? {
            if let Some(group) = registry.groups().insert(id, members, revision) {
                unknown.retain(|other| *other != id);
                known.push(group);
            }
        }
    }
    Ok(known)
}

fn advanced(change: &PositionChange) -> Option<(ConversationId, Members)> {
    match change {
        PositionChange::Advanced { position, members, .. } => Some((position.conversation, *members)),
        PositionChange::NoSuchConversation { .. } => None,
    }
}
