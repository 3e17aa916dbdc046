use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};

use futures::FutureExt;
use ractor::ActorRef;
use sqlx::postgres::PgConnectOptions;
use tokio::sync::mpsc;

use super::PersistenceMessage;
use super::batch::Batch;
use super::buffer::Work;
use crate::database::{Appended, Log, Position, PositionChange, WriteError};

/// PostgreSQL cancels a hung statement itself, earlier; this ends the wait for
/// a PostgreSQL that vanished without closing, and for a hung commit.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(45);

/// Owns a writer's connection and does its work, one piece at a time, so that
/// the actor never waits for the database.
pub struct Committer {
    options: PgConnectOptions,
    log: Option<Log>,
}

/// The result of a piece of work.
pub enum WorkDone {
    Messages {
        batch: Batch,
        result: Result<Appended, WriteError>,
        took: Duration,
    },
    Positions {
        positions: Vec<Position>,
        result: Result<Vec<PositionChange>, WriteError>,
    },
    /// A bug; the work is lost.
    Panicked,
}

impl Committer {
    pub fn new(options: PgConnectOptions) -> Self {
        Self { options, log: None }
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
                let result = self.attempt(async |log| log.append(&batch.events()).await).await;
                WorkDone::Messages { batch, result, took: begun.elapsed() }
            }
            Work::Positions(positions) => {
                let result = self.attempt(async |log| log.advance(&positions).await).await;
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
