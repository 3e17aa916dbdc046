use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::QueuedSend;
use super::batch::{Batch, Refused};
use super::receipts::PendingReceipts;
use crate::database::{Position, WriteError};
use crate::protocol::{Code, Problem};
use crate::registry::ReceiptUpdate;

/// How long the next attempt after a failure waits, doubled each time.
const BACK_OFF_MIN: Duration = Duration::from_millis(50);
const BACK_OFF_MAX: Duration = Duration::from_secs(1);

/// How long sends wait for a PostgreSQL that answers but cannot store before
/// they are refused: long enough for a fail-over, short enough for a user to wait.
const REFUSING_TIMEOUT: Duration = Duration::from_secs(3);

/// When clients may try again after such a refusal.
const UNAVAILABLE_RETRY_MS: u32 = 2_000;

/// How many conflicts of a batch in a row are retried at once; more than these
/// are no race, and back off like any other failure.
const IMMEDIATE_RETRIES_MAX: u32 = 8;

/// The queue of one writer: sends in order, the pending positions, and the decision
/// what is written when. It does no I/O and has no clock of its own.
#[derive(Debug)]
pub struct Buffer {
    bounds: Bounds,
    queue: VecDeque<QueuedSend>,
    /// The sizes of the next batches, last first, while a batch is bisected to find
    /// the row that PostgreSQL rejects.
    bisection: Vec<usize>,
    receipts: PendingReceipts,
    /// Before this time, positions are only collected.
    positions_due: Option<Instant>,
    outage: Option<Outage>,
    conflicts: u32,
    /// Whether work has been handed out and has not been reported as done or failed.
    busy: bool,
    draining: bool,
}

#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// The maximum number of rows in one statement.
    pub batch: usize,
    /// Positions are written at most this often.
    pub positions_interval: Duration,
}

#[derive(Clone, Copy, Debug)]
struct Outage {
    since: Instant,
    retry_at: Instant,
    delay: Duration,
}

/// The work of one statement.
#[derive(Debug)]
pub enum Work {
    Messages(Batch),
    Positions(Vec<Position>),
}

/// What the writer is to do now.
#[derive(Debug)]
pub enum Next {
    Work(Work),
    /// Ask again then.
    At(Instant),
    /// Ask again when something arrives or ends.
    Nothing,
}

impl Buffer {
    pub fn new(bounds: Bounds, receipts: PendingReceipts) -> Self {
        Self {
            bounds,
            queue: VecDeque::new(),
            bisection: Vec::new(),
            receipts,
            positions_due: None,
            outage: None,
            conflicts: 0,
            busy: false,
            draining: false,
        }
    }

    pub fn push(&mut self, queue: QueuedSend) {
        self.queue.push_back(queue);
    }

    /// From now on positions are written without waiting for their interval.
    pub fn drain(&mut self) {
        self.draining = true;
    }

    /// Whether there is nothing left to write.
    pub fn is_idle(&self) -> bool {
        !self.busy && self.queue.is_empty() && self.receipts.is_empty()
    }

    /// Returns what to do at `now`. Work that is handed out must be reported through
    /// [`failed`](Self::failed) or one of the others before there is more.
    pub fn next(&mut self, now: Instant) -> Next {
        if self.busy {
            return Next::Nothing;
        }
        if let Some(outage) = &self.outage
            && now < outage.retry_at
        {
            return Next::At(outage.retry_at);
        }
        // A message waits for at most one statement of positions in
        // each interval.
        let too_early = self.positions_due.filter(|due| now < *due && !self.draining);
        let work = match too_early {
            None if !self.receipts.is_empty() => Work::Positions(self.take_positions(now)),
            _ if !self.queue.is_empty() => Work::Messages(self.take_batch()),
            Some(due) if !self.receipts.is_empty() => return Next::At(due),
            _ => return Next::Nothing,
        };
        self.busy = true;
        Next::Work(work)
    }

    fn take_positions(&mut self, now: Instant) -> Vec<Position> {
        self.positions_due = Some(now + self.bounds.positions_interval);
        self.receipts.take(self.bounds.batch)
    }

    fn take_batch(&mut self) -> Batch {
        let limit = self.bisection.last().copied().unwrap_or(self.bounds.batch);
        let mut batch = Batch::default();
        let mut deferred = Vec::new();
        while batch.len() < limit
            && let Some(queue) = self.queue.pop_front()
        {
            deferred.extend(batch.add(queue).err());
        }
        for queue in deferred.into_iter().rev() {
            self.queue.push_front(queue);
        }
        batch
    }

    /// A batch of messages was committed.
    pub fn messages_committed(&mut self) {
        self.bisection.pop();
        self.recovered();
    }

    /// A batch of positions was committed.
    pub fn positions_committed(&mut self) {
        self.recovered();
    }

    fn recovered(&mut self) {
        self.busy = false;
        self.outage = None;
        self.conflicts = 0;
    }

    /// The work was not committed, as far as is known; sends that were stored after
    /// all are found later. Returns the sends that are given up.
    pub fn failed(&mut self, work: Work, error: &WriteError, now: Instant) -> Option<Refused> {
        self.busy = false;
        match error {
            WriteError::Rejected(_) => return self.rejected(work, error),
            WriteError::Conflict(_) if self.conflicts < IMMEDIATE_RETRIES_MAX => {
                self.conflicts += 1;
                self.requeue(work);
                return None;
            }
            WriteError::Conflict(_) | WriteError::Unwritable(_) | WriteError::Unreachable(_) => {}
        }
        self.requeue(work);
        let outage = self.extend_outage(now);
        // While PostgreSQL is unreachable, sends wait for as long as it takes: they are
        // bounded, and senders see that they wait. If it answers but cannot
        // store, somebody has to act, so the senders get an error.
        let refusing = matches!(error, WriteError::Unwritable(_));
        (refusing && now.duration_since(outage.since) >= REFUSING_TIMEOUT).then(|| self.give_up())
    }

    fn extend_outage(&mut self, now: Instant) -> Outage {
        let delay = self.outage.map_or(BACK_OFF_MIN, |outage| (outage.delay * 2).min(BACK_OFF_MAX));
        let since = self.outage.map_or(now, |outage| outage.since);
        *self.outage.insert(Outage { since, retry_at: now + delay, delay })
    }

    fn give_up(&mut self) -> Refused {
        self.bisection.clear();
        let sentence = "Messages can't be stored right now.";
        Refused {
            requests: self.queue.drain(..).collect(),
            problem: Problem::new(Code::StorageUnavailable, sentence).retry_after_ms(UNAVAILABLE_RETRY_MS),
        }
    }

    /// A value in the work cannot be stored: bisects the batch until it stands alone.
    fn rejected(&mut self, work: Work, error: &WriteError) -> Option<Refused> {
        let batch = match work {
            Work::Messages(batch) => batch,
            // Positions cannot be invalid; losing one is harmless.
            Work::Positions(_) => return None,
        };
        self.bisection.pop();
        let length = batch.len();
        if length > 1 {
            self.bisection.extend([length - length / 2, length / 2]);
            self.requeue(Work::Messages(batch));
            return None;
        }
        let problem = if error.is_text() {
            Problem::new(Code::InvalidText, "This text can't be stored.").field("body")
        } else {
            Problem::new(Code::Internal, "This can't be stored.")
        };
        Some(Refused { requests: batch.into_sends().collect(), problem })
    }

    fn requeue(&mut self, work: Work) {
        match work {
            Work::Messages(batch) => {
                for queue in batch.into_sends().rev() {
                    self.queue.push_front(queue);
                }
            }
            Work::Positions(positions) => {
                for Position { conversation, user, delivered, read } in positions {
                    self.receipts.update(ReceiptUpdate { user, conversation, delivered, read });
                }
            }
        }
    }

    #[cfg(test)]
    pub fn check_invariants(&self) {
        self.receipts.check_invariants();
        assert!(self.bisection.iter().all(|size| (1..=self.bounds.batch).contains(size)));
        assert!(self.bisection.is_empty() || self.busy || !self.queue.is_empty(), "bisection of nothing");
    }
}
