use std::sync::Arc;
use std::time::{Duration, Instant};

use ractor::{Actor, ActorProcessingErr, ActorRef, SupervisionEvent};
use sqlx::postgres::PgConnectOptions;
use tokio::sync::{mpsc, oneshot};

use super::batch::{self, Batch};
use super::buffer::{Bounds, Buffer, Next, Work};
use super::committer::{Committer, WorkDone};
use super::receipts::PendingReceipts;
use super::{Generation, Generations, QueuedSend};
use crate::bus::{Bus, Delivery};
use crate::database::{AppendOutcome, Appended, PositionChange, WriteError};
use crate::domain::Visibility;
use crate::metrics;
use crate::push::Push;
use crate::registry::{Heartbeat, InjectedFault, Registry};

/// The messages that a writer handles.
pub enum PersistenceMessage {
    /// A message to be stored.
    Submit(QueuedSend),
    /// Positions are pending, where there were none.
    ReceiptsWaiting,
    /// The committer has finished the work.
    WorkDone(Box<WorkDone>),
    /// The time of the next attempt has come.
    Wake,
    /// Answer when everything accepted so far is stored or refused.
    Flush(oneshot::Sender<()>),
    /// Answer it: the supervisor asks whether messages are handled.
    Heartbeat(Heartbeat),
    /// Have this fault: for tests.
    Fault(InjectedFault),
}

/// Stores the messages of its share of the conversations, and the positions in
/// them. A batch is what arrived while the last commit ran: under load batches
/// grow by themselves, and a single message never waits for a timer.
pub struct Writer;

/// What a writer is started with; the same at every restart, with the positions that
/// are pending then.
#[derive(Clone)]
pub struct WriterArguments {
    pub options: PgConnectOptions,
    pub registry: Arc<Registry>,
    pub bus: Bus,
    pub push: Push,
    pub bounds: Bounds,
    pub receipts: PendingReceipts,
    pub generations: Generations,
}

/// The state of a writer.
pub struct WriterState {
    registry: Arc<Registry>,
    bus: Bus,
    push: Push,
    buffer: Buffer,
    generations: Generations,
    /// The generation that began when this writer last refused everything it held.
    since: Generation,
    /// To the task that owns the connection. Capacity 1: it gets the next piece of work
    /// when it has finished the last.
    committer: mpsc::Sender<Work>,
    flushing: Vec<oneshot::Sender<()>>,
    /// When the next `Wake` is due.
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
        tokio::spawn(Committer::new(arguments.options, arguments.registry.clone()).run(work, myself));
        Ok(WriterState {
            registry: arguments.registry,
            bus: arguments.bus,
            push: arguments.push,
            buffer: Buffer::new(arguments.bounds, arguments.receipts),
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
            PersistenceMessage::Submit(queued) => state.on_submit(queued),
            PersistenceMessage::ReceiptsWaiting => {}
            PersistenceMessage::WorkDone(done) => return state.on_work_done(&myself, *done),
            PersistenceMessage::Wake => state.wake_at = None,
            PersistenceMessage::Flush(done) => state.on_flush(done),
            PersistenceMessage::Heartbeat(heartbeat) => heartbeat.answer(),
            PersistenceMessage::Fault(fault) => fault.strike().await,
        }
        state.start_next(&myself)
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
    fn on_submit(&mut self, queued: QueuedSend) {
        if queued.generation >= self.since {
            self.buffer.push(queued);
        }
        // Otherwise its sender did not know yet that earlier sends were refused: it
        // submits this one again, in order.
    }

    fn on_work_done(
        &mut self,
        myself: &ActorRef<PersistenceMessage>,
        done: WorkDone,
    ) -> Result<(), ActorProcessingErr> {
        match done {
            WorkDone::Messages { batch, result: Ok((appended, _groups)), took } => {
                self.buffer.messages_committed();
                // The next batch is committed while this one is delivered.
                self.start_next(myself)?;
                self.on_stored(batch, &appended, took);
            }
            WorkDone::Positions { result: Ok((changes, _groups)), .. } => {
                self.buffer.positions_committed();
                self.start_next(myself)?;
                self.on_advanced(&changes);
            }
            WorkDone::Messages { batch, result: Err(error), .. } => {
                self.on_failed(Work::Messages(batch), &error);
                self.start_next(myself)?;
            }
            WorkDone::Positions { positions, result: Err(error) } => {
                self.on_failed(Work::Positions(positions), &error);
                self.start_next(myself)?;
            }
            WorkDone::Panicked => return Err("the committing task panicked".into()),
        }
        self.answer_flush();
        Ok(())
    }

    fn on_stored(&mut self, batch: Batch, appended: &Appended, took: Duration) {
        let is_new =
            |outcome: &&AppendOutcome| matches!(outcome, AppendOutcome::Stored { duplicate: false, .. });
        let stored = appended.outcomes.iter().filter(is_new).count();
        metrics::batch_committed(batch.len(), stored, took);
        self.note_recovery();
        let (events, results) = batch.publish(appended);
        self.push.notify(&events);
        self.bus.publish_with(Delivery::Events(events), results);
    }

    fn on_advanced(&mut self, changes: &[PositionChange]) {
        self.note_recovery();
        // A choice made since the statement began counts: see
        // `Services::set_visibility`, which tells what was hidden before.
        let newest =
            |user, stored: Visibility| self.registry.online_users().visibility(user).max(Some(stored));
        let is_hidden = |user, stored| newest(user, stored).is_some_and(Visibility::is_invisible);
        let (receipts, results) = batch::publish_positions(changes, is_hidden);
        self.bus.publish_with(Delivery::Receipts(receipts), results);
    }

    fn on_failed(&mut self, work: Work, error: &WriteError) {
        if !matches!(error, WriteError::Conflict(_)) && !self.failing {
            self.failing = true;
            tracing::error!(%error, "a batch was not stored");
        }
        let refused = self.buffer.failed(work, error, Instant::now());
        if let Some(refused) = refused {
            let (count, code) = (refused.requests.len(), refused.problem.code);
            tracing::warn!(count, ?code, "sends were refused");
            let may_come_again = refused.problem.retry_after_ms.is_some();
            self.bus.publish_with(Delivery::Events(Vec::new()), batch::refuse(refused));
            if may_come_again {
                // In this order: whoever sees the new generation has the refusals.
                self.since = self.generations.renew();
                self.registry.resubmit_in_flight();
            }
        }
    }

    fn on_flush(&mut self, done: oneshot::Sender<()>) {
        self.flushing.push(done);
        self.buffer.drain();
        self.answer_flush();
    }

    fn answer_flush(&mut self) {
        if self.buffer.is_idle() {
            for done in self.flushing.drain(..) {
                // An error means that the caller has stopped waiting.
                let _ = done.send(());
            }
        }
    }

    /// Starts the next piece of work, or schedules the next attempt.
    fn start_next(&mut self, myself: &ActorRef<PersistenceMessage>) -> Result<(), ActorProcessingErr> {
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
}
