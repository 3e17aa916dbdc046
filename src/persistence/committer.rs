use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};

use futures::FutureExt;
use ractor::ActorRef;
use sqlx::postgres::PgConnectOptions;
use tokio::sync::mpsc;

use super::PersistenceMessage;
use super::batch::Batch;
use super::buffer::Work;
use crate::database::{Appended, Fault, Log, Moved, Position};

/// PostgreSQL ends a hung statement itself, earlier; this ends the wait for
/// one that is no longer there and did not say so, and for a hung commit.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(45);

/// Owns a writer's connection and does its work, one piece at a time, so that
/// the actor never waits for the database.
pub struct Committer {
    options: PgConnectOptions,
    log: Option<Log>,
}

/// How a piece of work ended.
pub enum Ended {
    Messages {
        batch: Batch,
        result: Result<Appended, Fault>,
        took: Duration,
    },
    Positions {
        positions: Vec<Position>,
        result: Result<Vec<Moved>, Fault>,
    },
    /// A bug; the work is gone with it.
    Panicked,
}

impl Committer {
    pub fn new(options: PgConnectOptions) -> Self {
        Self { options, log: None }
    }

    /// Works until the actor is gone; what is in hand then is still finished.
    pub async fn run(mut self, mut work: mpsc::Receiver<Work>, actor: ActorRef<PersistenceMessage>) {
        while let Some(work) = work.recv().await {
            let ended = AssertUnwindSafe(self.perform(work)).catch_unwind().await;
            let ended = ended.unwrap_or(Ended::Panicked);
            if actor.cast(PersistenceMessage::Ended(Box::new(ended))).is_err() {
                // The next incarnation finds what was stored by its client ids.
                return;
            }
        }
    }

    async fn perform(&mut self, work: Work) -> Ended {
        match work {
            Work::Messages(batch) => {
                let begun = Instant::now();
                let result = self.attempt(async |log| log.append(&batch.events()).await).await;
                Ended::Messages { batch, result, took: begun.elapsed() }
            }
            Work::Positions(positions) => {
                let result = self.attempt(async |log| log.advance(&positions).await).await;
                Ended::Positions { positions, result }
            }
        }
    }

    async fn attempt<T>(
        &mut self,
        statement: impl AsyncFnOnce(&mut Log) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        // Taken out: an attempt that is given up in the middle leaves nothing behind.
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
            .unwrap_or_else(|_| Err(Fault::timed_out()))?;
        // After the other faults it is broken, or leads to a server that has
        // become a standby.
        if matches!(result, Ok(_) | Err(Fault::Conflict(_) | Fault::Rejected(_))) {
            self.log = Some(log);
        }
        result
    }
}
