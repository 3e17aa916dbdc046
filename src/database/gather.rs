//! Group commit for questions: what is asked while a statement runs is asked
//! together by the next one. Alone, nobody waits for company; when thousands
//! come back at once, a statement costs a round trip for each dozen of them.
//!
//! Libraries for this (dataloader, scuffle-batching) gather for a time by the
//! clock and know of no error.

use std::io::ErrorKind;
use std::slice;
use std::sync::Arc;
use std::time::Duration;

use sqlx::{PgConnection, PgPool};
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::time::timeout;

use super::{DatabaseError, Doing};

/// Questions that wait. More wait for a place here, where they cost as much.
const WAITING: usize = 1024;

/// PostgreSQL ends a hung statement itself, earlier; this ends the wait for one
/// that is no longer there and did not say so.
const GIVEN_UP: Duration = Duration::from_secs(15);

/// Something that can be asked for many at once.
pub trait Question: Send + Sync + Sized + 'static {
    type Answer: Send;
    /// As in [`Doing`].
    const DOING: &'static str;
    /// How many are asked by one statement at the most: what it reads and locks
    /// is bounded.
    const MOST: usize;

    /// One answer to each question, in order.
    fn ask(
        connection: &mut PgConnection,
        questions: &[Self],
    ) -> impl Future<Output = Result<Vec<Self::Answer>, sqlx::Error>> + Send;
}

/// Where to ask questions of one kind. Cheap to clone.
pub struct Gather<Q: Question>(mpsc::Sender<Asked<Q>>);

impl<Q: Question> Clone for Gather<Q> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

struct Asked<Q: Question> {
    question: Q,
    answer: oneshot::Sender<Result<Q::Answer, DatabaseError>>,
}

impl<Q: Question> Gather<Q> {
    /// `patience`: how long questions wait for their turn.
    pub fn new(pool: PgPool, patience: Duration) -> Self {
        let (asked, waiting) = mpsc::channel(WAITING);
        tokio::spawn(run(pool, patience, waiting));
        Self(asked)
    }

    /// Its statement begins after this.
    pub async fn ask(&self, question: Q) -> Result<Q::Answer, DatabaseError> {
        let (answer, answered) = oneshot::channel();
        let crashed = || Err(sqlx::Error::WorkerCrashed).doing(Q::DOING);
        match self.0.send(Asked { question, answer }).await {
            Ok(()) => answered.await.unwrap_or_else(|_| crashed()),
            Err(_) => crashed(),
        }
    }
}

/// Ends when nobody is left who could ask.
async fn run<Q: Question>(pool: PgPool, patience: Duration, mut waiting: mpsc::Receiver<Asked<Q>>) {
    let turns = Arc::new(Semaphore::new(1));
    let mut batch = Vec::new();
    while waiting.recv_many(&mut batch, Q::MOST).await > 0 {
        let turn = timeout(patience, turns.clone().acquire_owned()).await;
        let late = std::iter::from_fn(|| waiting.try_recv().ok());
        let Ok(turn) = turn else {
            // Whoever waits behind them would not fare better.
            for asked in batch.drain(..).chain(late) {
                drop(asked.answer.send(Err(sqlx::Error::PoolTimedOut).doing(Q::DOING)));
            }
            continue;
        };
        let room = Q::MOST - batch.len();
        batch.extend(late.take(room));
        let (pool, batch) = (pool.clone(), std::mem::take(&mut batch));
        // In a task: a panic is the end of these questions and no others.
        tokio::spawn(async move {
            ask_all(&pool, batch).await;
            drop(turn);
        });
    }
}

/// One statement for all; when it is refused, one for each: no question spoils
/// the others' answers.
async fn ask_all<Q: Question>(pool: &PgPool, batch: Vec<Asked<Q>>) {
    let (questions, answers): (Vec<_>, Vec<_>) =
        batch.into_iter().map(|asked| (asked.question, asked.answer)).unzip();
    let outcomes = match ask(pool, &questions).await {
        Ok(found) => found.into_iter().map(Ok).collect(),
        Err(error) if error.is_unavailable() => questions.iter().map(|_| Err(error.clone())).collect(),
        Err(_) => ask_each(pool, &questions).await,
    };
    for (answer, outcome) in answers.into_iter().zip(outcomes) {
        // An error is somebody who waits no longer.
        drop(answer.send(outcome));
    }
}

async fn ask_each<Q: Question>(pool: &PgPool, questions: &[Q]) -> Vec<Result<Q::Answer, DatabaseError>> {
    let mut outcomes = Vec::with_capacity(questions.len());
    for question in questions {
        let found = ask(pool, slice::from_ref(question)).await;
        outcomes.push(found.map(|mut found| found.remove(0)));
    }
    outcomes
}

async fn ask<Q: Question>(pool: &PgPool, questions: &[Q]) -> Result<Vec<Q::Answer>, DatabaseError> {
    let answers = async {
        let mut connection = pool.acquire().await?;
        let late = |_| Err(sqlx::Error::Io(ErrorKind::TimedOut.into()));
        timeout(GIVEN_UP, Q::ask(&mut connection, questions)).await.unwrap_or_else(late)
    };
    answers.await.doing(Q::DOING)
}
