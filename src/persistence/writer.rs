use std::sync::Arc;
use std::time::{Duration, Instant};

use ractor::{Actor, ActorProcessingErr, ActorRef, SupervisionEvent};
use sqlx::postgres::PgConnectOptions;
use tokio::sync::{mpsc, oneshot};

use super::batch::{self, Batch, Deliveries};
use super::buffer::{Bounds, Buffer, Next, Work};
use super::committer::{Committer, Ended};
use super::{Generation, Generations, Waiting};
use crate::database::{Appended, Fault, Moved, Place};
use crate::directory::{Directory, Progress, UserMessage};
use crate::domain::Visibility;
use crate::metrics;
use crate::push::Push;

/// What may be said to a writer.
pub enum PersistenceMessage {
    /// A message to be stored.
    Submit(Waiting),
    /// How far a user has got.
    Progress(Progress),
    /// The work in hand has ended.
    Ended(Box<Ended>),
    /// The time to look again has come.
    Wake,
    /// To be told when everything accepted so far is settled.
    Flush(oneshot::Sender<()>),
    /// Panics: fault injection.
    Crash,
}

/// Stores the messages of its share of the conversations, and the positions in
/// them. A batch is what arrived while the last commit ran: under load batches
/// grow by themselves, and a single message never waits for a timer.
pub struct Writer;

/// What a writer starts from; the same at every restart.
#[derive(Clone)]
pub struct WriterArguments {
    pub options: PgConnectOptions,
    pub directory: Arc<Directory>,
    pub push: Push,
    pub bounds: Bounds,
    pub generations: Generations,
}

/// What a writer keeps between two messages.
pub struct WriterState {
    directory: Arc<Directory>,
    push: Push,
    buffer: Buffer,
    generations: Generations,
    /// The one that began when this writer last gave up what it held.
    since: Generation,
    /// To the task that owns the connection. One place: it is handed the next
    /// piece of work when the last has ended.
    committer: mpsc::Sender<Work>,
    flushing: Vec<oneshot::Sender<()>>,
    /// When the next `Wake` is under way for.
    wake_at: Option<Instant>,
    failing: bool,
}

impl Actor for Writer {
    type Msg = PersistenceMessage;
    type State = WriterState;
    type Arguments = WriterArguments;

    async fn pre_start(
        &self,
        myself: ActorRef<PersistenceMessage>,
        arguments: WriterArguments,
    ) -> Result<WriterState, ActorProcessingErr> {
        let (committer, work) = mpsc::channel(1);
        tokio::spawn(Committer::new(arguments.options).run(work, myself));
        Ok(WriterState {
            directory: arguments.directory,
            push: arguments.push,
            buffer: Buffer::new(arguments.bounds),
            since: arguments.generations.current(),
            generations: arguments.generations,
            committer,
            flushing: Vec::new(),
            wake_at: None,
            failing: false,
        })
    }

    async fn handle(
        &self,
        myself: ActorRef<PersistenceMessage>,
        message: PersistenceMessage,
        state: &mut WriterState,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            PersistenceMessage::Submit(waiting) => state.on_submit(waiting),
            PersistenceMessage::Progress(progress) => state.buffer.reach(progress),
            PersistenceMessage::Ended(ended) => return state.on_ended(&myself, *ended),
            PersistenceMessage::Wake => state.wake_at = None,
            PersistenceMessage::Flush(done) => state.on_flush(done),
            PersistenceMessage::Crash => panic!("crash on request: fault injection"),
        }
        state.go_on(&myself)
    }

    /// It has no children; the inherited default would stop it at any event.
    async fn handle_supervisor_evt(
        &self,
        _: ActorRef<PersistenceMessage>,
        _: SupervisionEvent,
        _: &mut WriterState,
    ) -> Result<(), ActorProcessingErr> {
        Ok(())
    }
}

impl WriterState {
    fn on_submit(&mut self, waiting: Waiting) {
        if waiting.generation >= self.since {
            self.buffer.push(waiting);
        }
        // Its sender did not know yet that what is before it was given up: it
        // comes again, in order.
    }

    fn on_ended(
        &mut self,
        myself: &ActorRef<PersistenceMessage>,
        ended: Ended,
    ) -> Result<(), ActorProcessingErr> {
        match ended {
            Ended::Messages { batch, result: Ok(appended), took } => {
                self.buffer.stored();
                // The next batch is committed while this one is delivered.
                self.go_on(myself)?;
                self.on_stored(batch, &appended, took);
            }
            Ended::Positions { result: Ok(moved), .. } => {
                self.buffer.moved();
                self.go_on(myself)?;
                self.on_moved(&moved);
            }
            Ended::Messages { batch, result: Err(fault), .. } => {
                self.on_failed(Work::Messages(batch), &fault);
                self.go_on(myself)?;
            }
            Ended::Positions { positions, result: Err(fault) } => {
                self.on_failed(Work::Positions(positions), &fault);
                self.go_on(myself)?;
            }
            Ended::Panicked => return Err("the committing task panicked".into()),
        }
        self.answer_flush();
        Ok(())
    }

    fn on_stored(&mut self, batch: Batch, appended: &Appended, took: Duration) {
        let is_new = |place: &&Place| matches!(place, Place::Stored { duplicate: false, .. });
        let stored = appended.places.iter().filter(is_new).count();
        metrics::batch_committed(batch.len(), stored, took);
        self.note_recovery();
        self.deliver(batch.settle(appended));
    }

    fn on_moved(&mut self, moved: &[Moved]) {
        self.note_recovery();
        // What was chosen since the statement began counts: see
        // `Services::set_visibility`, which tells what was hidden before.
        let newest = |user, stored: Visibility| self.directory.roster().visibility(user).max(Some(stored));
        let is_hidden = |user, stored| newest(user, stored).is_some_and(Visibility::is_invisible);
        self.deliver(batch::settle_positions(moved, is_hidden));
    }

    fn on_failed(&mut self, work: Work, fault: &Fault) {
        if !matches!(fault, Fault::Conflict(_)) && !self.failing {
            self.failing = true;
            tracing::error!(error = %fault, "a batch was not stored");
        }
        let refused = self.buffer.failed(work, fault, Instant::now());
        if let Some(refused) = refused {
            let (count, code) = (refused.submissions.len(), refused.problem.code);
            tracing::warn!(count, ?code, "submissions were refused");
            let may_come_again = refused.problem.retry_after_ms.is_some();
            self.deliver(batch::refuse(refused));
            if may_come_again {
                // In this order: who finds the new generation has been told.
                self.since = self.generations.renew();
                self.directory.ask_to_resubmit();
            }
        }
    }

    fn on_flush(&mut self, done: oneshot::Sender<()>) {
        self.flushing.push(done);
        self.buffer.drain();
        self.answer_flush();
    }

    fn answer_flush(&mut self) {
        if self.buffer.is_settled() {
            for done in self.flushing.drain(..) {
                // Whoever asked has stopped waiting.
                let _ = done.send(());
            }
        }
    }

    /// Hands out the next piece of work, or arranges to look again in time.
    fn go_on(&mut self, myself: &ActorRef<PersistenceMessage>) -> Result<(), ActorProcessingErr> {
        let now = Instant::now();
        match self.buffer.next(now) {
            Next::Work(work) => self.committer.try_send(work).map_err(|_| "the committing task is gone")?,
            Next::At(at) if self.wake_at.is_none_or(|planned| at < planned) => {
                self.wake_at = Some(at);
                myself.send_after(at.saturating_duration_since(now), || PersistenceMessage::Wake);
            }
            Next::At(_) | Next::Nothing => {}
        }
        Ok(())
    }

    fn note_recovery(&mut self) {
        if std::mem::take(&mut self.failing) {
            tracing::info!("batches are stored again");
        }
    }

    fn deliver(&self, deliveries: Deliveries) {
        for (user, settled) in deliveries {
            if !self.directory.is_connected(user) {
                self.push.offer(user, &settled);
            }
            self.directory.tell(user, UserMessage::Settled(settled));
        }
    }
}
