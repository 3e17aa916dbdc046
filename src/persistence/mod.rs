//! Where messages become durable: submissions in, commits, answers and events out.
//!
//! A few writers, each with its own connection, share the conversations by
//! their ids. A writer that panics is restarted with an empty buffer; users
//! then submit again what has no answer, and the client ids tell what had been
//! stored. So everything that a batch returns is delivered, whether new or not.

mod batch;
mod buffer;
mod committer;
mod writer;

#[cfg(test)]
mod tests;

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use ractor::ActorRef;
use sqlx::postgres::PgConnectOptions;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

pub use writer::{PersistenceMessage, Writer, WriterArguments};

use crate::config::Config;
#[expect(unused_imports, reason = "for the documentation")]
use crate::directory::UserMessage;
use crate::directory::{Address, Directory, Progress, Submission};
use crate::domain::ConversationId;
use crate::protocol::{Code, Problem};
use crate::push::Push;
use buffer::Bounds;

/// When to try again after the queue was full.
const BUSY_RETRY_MS: u32 = 1_000;

/// Members with a position that waits to be stored, for each place in the
/// queue of messages; positions beyond are dropped.
const POSITIONS_PER_PLACE: usize = 4;

/// The way to the writers. Cheap to clone.
#[derive(Clone)]
pub struct Persistence(Arc<Shared>);

struct Shared {
    writers: Box<[Address<PersistenceMessage>]>,
    generations: Generations,
    /// One permit for each submission that is not answered, on all writers.
    room: Arc<Semaphore>,
    capacity: usize,
    arguments: WriterArguments,
}

/// Changes whenever a writer has been replaced or has given up what it held.
/// Whoever submits holds the one in which everything it has without an answer
/// was submitted: when there is a newer one it submits all of that again, in
/// order, before anything else. So nothing overtakes what was lost with the old
/// writer, or what was refused while it was on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Generation(u64);

/// Where generations begin. Cheap to clone.
#[derive(Clone, Default)]
pub struct Generations(Arc<AtomicU64>);

impl Generations {
    fn current(&self) -> Generation {
        Generation(self.0.load(Ordering::SeqCst))
    }

    /// Begins the next one.
    fn renew(&self) -> Generation {
        Generation(self.0.fetch_add(1, Ordering::SeqCst) + 1)
    }
}

/// Why a submission was not taken.
#[derive(Clone, Debug, PartialEq)]
pub enum SubmitError {
    /// A writer is being replaced, or the generation is over: submit again in
    /// the next one. [`UserMessage::Resubmit`] tells when it has begun.
    Replaced,
    /// The queue is full: `busy`, with the time after which to try again.
    Full(Problem),
}

/// A submission that is not answered yet, with its place in the bounded queue.
#[derive(Debug)]
pub struct Waiting {
    submission: Submission,
    generation: Generation,
    /// Held until the answer.
    _room: OwnedSemaphorePermit,
}

impl Persistence {
    /// The writers' addresses, without anybody there yet.
    pub fn new(config: &Config, options: PgConnectOptions, directory: Arc<Directory>, push: Push) -> Self {
        let bounds = Bounds {
            batch: config.batch_max,
            positions: config.persistence_queue * POSITIONS_PER_PLACE,
            positions_interval: config.receipt_interval,
        };
        let generations = Generations::default();
        Self(Arc::new(Shared {
            writers: (0..config.writers).map(|_| Address::default()).collect(),
            generations: generations.clone(),
            room: Arc::new(Semaphore::new(config.persistence_queue)),
            capacity: config.persistence_queue,
            arguments: WriterArguments { options, directory, push, bounds, generations },
        }))
    }

    /// How many writers there are; they are numbered from 0.
    pub fn writers(&self) -> usize {
        self.0.writers.len()
    }

    /// Whether every writer takes messages.
    pub fn is_alive(&self) -> bool {
        self.0.writers.iter().all(Address::is_alive)
    }

    /// What to start a writer with, the first time and again.
    pub fn arguments(&self) -> WriterArguments {
        self.0.arguments.clone()
    }

    /// For the supervisor only: `actor` is that writer from now on. If it
    /// replaces another, every user is to be told [`UserMessage::Resubmit`]
    /// afterwards.
    pub fn install(&self, writer: usize, actor: ActorRef<PersistenceMessage>) {
        // In this order: who finds the new writer finds the new generation.
        self.0.generations.renew();
        self.0.writers[writer].set(actor);
    }

    pub fn generation(&self) -> Generation {
        self.0.generations.current()
    }

    /// Takes a message to be stored; what became of it comes as an `Answer`.
    pub fn submit(&self, generation: Generation, submission: Submission) -> Result<(), SubmitError> {
        let writer = self.writer(submission.conversation).get();
        // After the look-up: a writer of a later generation is never taken for
        // one of this.
        if self.generation() != generation {
            return Err(SubmitError::Replaced);
        }
        let writer = writer.ok_or(SubmitError::Replaced)?;
        let permit = self.0.room.clone().try_acquire_owned().map_err(|_| SubmitError::full())?;
        let waiting = Waiting { submission, generation, _room: permit };
        // It fails only when the writer is dead, and then gives its place back.
        writer.cast(PersistenceMessage::Submit(waiting)).map_err(|_| SubmitError::Replaced)
    }

    /// Takes a position. Positions only grow and are coalesced, so one that is
    /// lost (the writer is being replaced, or there are too many) is made good
    /// by the member's next one.
    pub fn progress(&self, progress: Progress) {
        if self.writer(progress.conversation).cast(PersistenceMessage::Progress(progress)).is_err() {
            tracing::debug!(user = %progress.user, "a position was lost with its writer");
        }
    }

    /// Returns when everything accepted so far is settled. Waits for as long as
    /// PostgreSQL is away: the caller bounds it. For the shutdown: positions
    /// are no longer gathered from here on.
    pub async fn flush(&self) {
        for writer in &self.0.writers {
            let (done, settled) = oneshot::channel();
            if writer.cast(PersistenceMessage::Flush(done)).is_ok() {
                // An error is a writer that died: nothing of it is left to wait for.
                settled.await.unwrap_or_default();
            }
        }
    }

    /// Submissions that wait for their answer.
    pub fn depth(&self) -> usize {
        self.0.capacity - self.0.room.available_permits()
    }

    /// Makes every writer panic: fault injection.
    pub fn crash(&self) {
        for writer in &self.0.writers {
            if writer.cast(PersistenceMessage::Crash).is_err() {
                tracing::debug!("a writer to crash was being replaced already");
            }
        }
    }

    fn writer(&self, conversation: ConversationId) -> &Address<PersistenceMessage> {
        let mut hasher = DefaultHasher::new();
        conversation.hash(&mut hasher);
        let count = self.0.writers.len() as u64;
        &self.0.writers[(hasher.finish() % count) as usize]
    }
}

impl SubmitError {
    fn full() -> Self {
        let sentence = "Too many messages wait to be stored.";
        Self::Full(Problem::new(Code::Busy, sentence).retry_after_ms(BUSY_RETRY_MS))
    }
}
