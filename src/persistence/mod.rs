//! Stores messages: sends come in, batches are committed, results and events go out.
//!
//! A few writers, each with its own connection, divide the conversations by
//! their ids. A writer that panics is restarted with an empty buffer; users' actors
//! then submit all unanswered sends again, and the client ids show which had been
//! stored. So every event of a batch is delivered, whether it is new or not.

mod batch;
mod buffer;
mod committer;
mod receipts;
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

use crate::bus::Bus;
use crate::config::Config;
use crate::domain::ConversationId;
use crate::protocol::{Code, Problem};
use crate::push::Push;
#[expect(unused_imports, reason = "for the documentation")]
use crate::registry::UserMessage;
use crate::registry::{ActorSlot, InjectedFault, ReceiptUpdate, Registry, SendRequest};
use buffer::Bounds;
use receipts::PendingReceipts;

/// When clients may try again after the queue was full.
const BUSY_RETRY_MS: u32 = 1_000;

/// How many positions may be pending for each slot in the queue of sends; beyond
/// that, each user has room for one.
const POSITIONS_PER_PLACE: usize = 4;

/// A handle to the writers. Cheap to clone.
#[derive(Clone)]
pub struct Persistence(Arc<Shared>);

struct Shared {
    writers: Box<[WriterHandle]>,
    generations: Generations,
    /// One permit for each unanswered send, at all writers.
    room: Arc<Semaphore>,
    capacity: usize,
    start: Start,
}

/// A handle to one writer.
struct WriterHandle {
    actor: ActorSlot<PersistenceMessage>,
    receipts: PendingReceipts,
}

/// What every writer is started with.
struct Start {
    options: PgConnectOptions,
    registry: Arc<Registry>,
    bus: Bus,
    push: Push,
    bounds: Bounds,
}

/// Changes whenever a writer is replaced or refuses everything it holds. A user's
/// actor remembers the generation in which it submitted its unanswered sends. When
/// there is a newer one, it submits all of them again, in order, before anything
/// else. So no send overtakes those that were lost with the old writer, or refused
/// while they were on their way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Generation(u64);

/// The counter of generations. Cheap to clone.
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

/// Why a send was not accepted.
#[derive(Clone, Debug, PartialEq)]
pub enum SubmitError {
    /// A writer is being replaced, or the generation is over: submit again in
    /// the next one. [`UserMessage::ResubmitInFlight`] announces it.
    Replaced,
    /// The queue is full: `busy`, with the time after which to try again.
    Full(Problem),
}

/// An unanswered send, with its permit of the bounded queue.
#[derive(Debug)]
pub struct QueuedSend {
    request: SendRequest,
    generation: Generation,
    /// Held until the result.
    _room: OwnedSemaphorePermit,
}

impl Persistence {
    /// Creates the handles of the writers, which are not started yet.
    pub fn new(
        config: &Config,
        options: PgConnectOptions,
        registry: Arc<Registry>,
        bus: Bus,
        push: Push,
    ) -> Self {
        let bounds = Bounds { batch: config.batch_max, positions_interval: config.receipt_interval };
        Self(Arc::new(Shared {
            writers: (0..config.writers)
                .map(|_| WriterHandle {
                    actor: ActorSlot::default(),
                    receipts: PendingReceipts::new(config.persistence_queue * POSITIONS_PER_PLACE),
                })
                .collect(),
            generations: Generations::default(),
            room: Arc::new(Semaphore::new(config.persistence_queue)),
            capacity: config.persistence_queue,
            start: Start { options, registry, bus, push, bounds },
        }))
    }

    /// How many writers there are; they are numbered from 0.
    pub fn writers(&self) -> usize {
        self.0.writers.len()
    }

    /// Whether every writer takes messages.
    pub fn is_alive(&self) -> bool {
        self.0.writers.iter().all(|writer| writer.actor.is_alive())
    }

    /// What to start a writer with, also after a crash.
    pub fn arguments(&self, writer: usize) -> WriterArguments {
        let Start { options, registry, bus, push, bounds } = &self.0.start;
        WriterArguments {
            options: options.clone(),
            registry: registry.clone(),
            bus: bus.clone(),
            push: push.clone(),
            bounds: *bounds,
            receipts: self.0.writers[writer].receipts.clone(),
            generations: self.0.generations.clone(),
        }
    }

    /// For the supervisor only: `actor` is the writer from now on. If it
    /// replaces another, every user must then be sent [`UserMessage::ResubmitInFlight`].
    pub fn install(&self, writer: usize, actor: ActorRef<PersistenceMessage>) {
        // In this order: whoever sees the new writer sees the new generation.
        self.0.generations.renew();
        let WriterHandle { actor: slot, receipts } = &self.0.writers[writer];
        slot.set(actor);
        if !receipts.is_empty() {
            // The dead writer may not have stored these.
            self.0.writers[writer].cast_receipts_waiting();
        }
    }

    pub fn generation(&self) -> Generation {
        self.0.generations.current()
    }

    /// Submits a message to be stored; its result arrives as a `SendResult`.
    pub fn submit(&self, generation: Generation, request: SendRequest) -> Result<(), SubmitError> {
        let writer = self.writer(request.conversation).actor.get();
        // After the look-up: a writer of a later generation is never mistaken for
        // one of this.
        if self.generation() != generation {
            return Err(SubmitError::Replaced);
        }
        let writer = writer.ok_or(SubmitError::Replaced)?;
        let permit = self.0.room.clone().try_acquire_owned().map_err(|_| SubmitError::full())?;
        let queued = QueuedSend { request, generation, _room: permit };
        // It fails only if the writer is dead, which releases the permit.
        writer.cast(PersistenceMessage::Submit(queued)).map_err(|_| SubmitError::Replaced)
    }

    /// Submits a position. Positions only grow and are coalesced, so one that is
    /// dropped because there are too many is replaced by the member's next one.
    pub fn update_receipt(&self, update: ReceiptUpdate) {
        let writer = self.writer(update.conversation);
        if writer.receipts.update(update) {
            writer.cast_receipts_waiting();
        }
    }

    /// Resolves when everything accepted so far is stored or refused. Waits for as long
    /// as PostgreSQL is unreachable: the caller sets a limit. For the shutdown: positions
    /// are no longer collected from here on.
    pub async fn flush(&self) {
        for writer in &self.0.writers {
            let (done, finished) = oneshot::channel();
            if writer.actor.cast(PersistenceMessage::Flush(done)).is_ok() {
                // An error means that the writer died: there is nothing left to wait for.
                finished.await.unwrap_or_default();
            }
        }
    }

    /// How many sends wait for their result.
    pub fn depth(&self) -> usize {
        self.0.capacity - self.0.room.available_permits()
    }

    /// Makes every writer have a fault.
    pub fn inject(&self, fault: InjectedFault) {
        for writer in &self.0.writers {
            if writer.actor.cast(PersistenceMessage::Fault(fault)).is_err() {
                tracing::debug!("a writer to have a fault was being replaced already");
            }
        }
    }

    fn writer(&self, conversation: ConversationId) -> &WriterHandle {
        let mut hasher = DefaultHasher::new();
        conversation.hash(&mut hasher);
        let count = self.0.writers.len() as u64;
        &self.0.writers[(hasher.finish() % count) as usize]
    }
}

impl WriterHandle {
    /// The message is lost while the writer is being replaced: the new one gets it when
    /// it is installed.
    fn cast_receipts_waiting(&self) {
        if self.actor.cast(PersistenceMessage::ReceiptsWaiting).is_err() {
            tracing::debug!("positions wait for a writer that is being replaced");
        }
    }
}

impl SubmitError {
    fn full() -> Self {
        let sentence = "Too many operations are waiting to be stored.";
        Self::Full(Problem::new(Code::Busy, sentence).retry_after_ms(BUSY_RETRY_MS))
    }
}
