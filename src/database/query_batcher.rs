//! Batches queries: those that arrive while a statement runs are answered together by
//! the next one. A single query never waits for others; when thousands of clients
//! reconnect at once, one statement answers dozens of them.
//!
//! A statement answers at most one query of each user, and its weight is bounded: a
//! user who asks much or often waits behind others, not before them. A query whose
//! caller has stopped waiting costs no statement.
//!
//! Libraries for this (dataloader, scuffle-batching) collect for a fixed time and do
//! not pass errors on.

use std::io::ErrorKind;
use std::slice;
use std::sync::Arc;
use std::time::Duration;

use sqlx::{PgConnection, PgPool};
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::time::timeout;

use super::fair_queue::{Cost, FairQueue};
use super::{Context, DatabaseError};
use crate::domain::UserId;

/// How many queries wait in the channel, and in the fair queue behind it. Further
/// callers wait for room.
const CHANNEL_CAPACITY: usize = 512;
const QUEUE_CAPACITY: usize = 512;

/// PostgreSQL cancels a hung statement itself, earlier; this ends the wait for a
/// PostgreSQL that vanished without closing.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(15);

/// A query that one statement can answer for many callers.
pub trait BatchQuery: Send + Sync + Sized + 'static {
    type Output: Send;
    /// The context of errors, as in [`Context`].
    const CONTEXT: &'static str;
    /// The maximum weight of one statement, so that what it reads and locks is bounded.
    const MAX_BATCH: usize;

    /// The user on whose behalf it runs: a statement answers one query of each user.
    /// Queries without a user all count as different.
    fn user(&self) -> Option<UserId> {
        None
    }

    fn weight(&self) -> usize {
        1
    }

    /// Answers each query, in order.
    fn run(
        connection: &mut PgConnection,
        queries: &[Self],
    ) -> impl Future<Output = Result<Vec<Self::Output>, sqlx::Error>> + Send;
}

/// Runs queries of one kind. Cheap to clone.
pub struct QueryBatcher<Q: BatchQuery>(mpsc::Sender<Queued<Q>>);

impl<Q: BatchQuery> Clone for QueryBatcher<Q> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

struct Queued<Q: BatchQuery> {
    query: Q,
    answer: oneshot::Sender<Result<Q::Output, DatabaseError>>,
}

impl<Q: BatchQuery> QueryBatcher<Q> {
    /// `turn_timeout`: how long a query waits for its turn.
    pub fn new(pool: PgPool, turn_timeout: Duration) -> Self {
        let (queued, waiting) = mpsc::channel(CHANNEL_CAPACITY);
        tokio::spawn(serve(pool, turn_timeout, waiting));
        Self(queued)
    }

    /// Runs the query in a statement that begins after this call.
    pub async fn run(&self, query: Q) -> Result<Q::Output, DatabaseError> {
        let (answer, answered) = oneshot::channel();
        let crashed = || Err(sqlx::Error::WorkerCrashed).context(Q::CONTEXT);
        match self.0.send(Queued { query, answer }).await {
            Ok(()) => answered.await.unwrap_or_else(|_| crashed()),
            Err(_) => crashed(),
        }
    }
}

/// Ends when every handle has been dropped.
async fn serve<Q: BatchQuery>(pool: PgPool, turn_timeout: Duration, mut channel: mpsc::Receiver<Queued<Q>>) {
    let turns = Arc::new(Semaphore::new(1));
    let mut queue = FairQueue::new(QUEUE_CAPACITY);
    loop {
        if queue.is_empty() {
            let Some(queued) = channel.recv().await else { return };
            queue.push(queued);
        }
        let turn = timeout(turn_timeout, turns.clone().acquire_owned()).await;
        while queue.has_room()
            && let Ok(queued) = channel.try_recv()
        {
            queue.push(queued);
        }
        let Ok(turn) = turn else {
            // Those that wait behind them would not do better.
            let late = std::iter::from_fn(|| channel.try_recv().ok());
            for queued in queue.drain().chain(late) {
                drop(queued.answer.send(Err(sqlx::Error::PoolTimedOut).context(Q::CONTEXT)));
            }
            continue;
        };
        let mut batch = queue.take_batch(Q::MAX_BATCH, Queued::cost);
        // The callers of these have stopped waiting.
        batch.retain(|queued| !queued.answer.is_closed());
        if batch.is_empty() {
            continue;
        }
        let pool = pool.clone();
        // In a task, so that a panic fails these queries and no others.
        tokio::spawn(async move {
            answer_all(&pool, batch).await;
            drop(turn);
        });
    }
}

impl<Q: BatchQuery> Queued<Q> {
    /// A query whose caller has stopped waiting takes no capacity.
    fn cost(&self) -> Cost {
        if self.answer.is_closed() {
            return Cost { owner: None, weight: 0 };
        }
        Cost { owner: self.query.user(), weight: self.query.weight() }
    }
}

/// Runs one statement for all queries; if it is rejected, one for each, so that no
/// query spoils the answers of others.
async fn answer_all<Q: BatchQuery>(pool: &PgPool, batch: Vec<Queued<Q>>) {
    let (queries, answers): (Vec<_>, Vec<_>) =
        batch.into_iter().map(|queued| (queued.query, queued.answer)).unzip();
    let outcomes = match run_batch(pool, &queries).await {
        Ok(found) => found.into_iter().map(Ok).collect(),
        Err(error) if error.is_unavailable() => queries.iter().map(|_| Err(error.clone())).collect(),
        Err(_) => run_each(pool, &queries).await,
    };
    for (answer, outcome) in answers.into_iter().zip(outcomes) {
        // An error means that the caller has stopped waiting.
        drop(answer.send(outcome));
    }
}

async fn run_each<Q: BatchQuery>(pool: &PgPool, queries: &[Q]) -> Vec<Result<Q::Output, DatabaseError>> {
    let mut outcomes = Vec::with_capacity(queries.len());
    for query in queries {
        let found = run_batch(pool, slice::from_ref(query)).await;
        outcomes.push(found.map(|mut found| found.remove(0)));
    }
    outcomes
}

async fn run_batch<Q: BatchQuery>(pool: &PgPool, queries: &[Q]) -> Result<Vec<Q::Output>, DatabaseError> {
    let answers = async {
        let mut connection = pool.acquire().await?;
        let late = |_| Err(sqlx::Error::Io(ErrorKind::TimedOut.into()));
        timeout(ANSWER_TIMEOUT, Q::run(&mut connection, queries)).await.unwrap_or_else(late)
    };
    answers.await.context(Q::CONTEXT)
}
