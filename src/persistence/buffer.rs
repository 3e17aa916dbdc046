use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use super::Waiting;
use super::batch::Batch;
use crate::database::{Fault, Position};
use crate::directory::Progress;
use crate::domain::{ConversationId, UserId};
use crate::protocol::{Code, Problem};

/// After a failure the next attempt waits this long, twice as long each time.
const BACK_OFF_MIN: Duration = Duration::from_millis(50);
const BACK_OFF_MAX: Duration = Duration::from_secs(1);

/// How long sends wait for a PostgreSQL that answers but cannot store before
/// they are refused: long enough for a fail-over, short enough to watch.
const REFUSING_PATIENCE: Duration = Duration::from_secs(3);

/// When to try again after such a refusal.
const UNAVAILABLE_RETRY_MS: u32 = 2_000;

/// Conflicts of a batch in a row that are run again at once; more than these
/// are no race, and wait like any other failure.
const CONFLICTS_AT_ONCE: u32 = 8;

/// What one writer holds: submissions in order, positions by member, and when
/// which of them is to be written. No I/O and no clock of its own.
#[derive(Debug)]
pub struct Buffer {
    bounds: Bounds,
    waiting: VecDeque<Waiting>,
    /// The sizes of the coming batches, last first, while a batch is being
    /// taken apart to find the row that is refused.
    parts: Vec<usize>,
    positions: BTreeMap<(ConversationId, UserId), Reached>,
    /// Before this, positions are only gathered.
    positions_due: Option<Instant>,
    outage: Option<Outage>,
    conflicts: u32,
    /// Whether work has been handed out and is neither done nor failed.
    busy: bool,
    draining: bool,
}

#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Rows in one statement.
    pub batch: usize,
    /// Members with a position to store; those of more are dropped.
    pub positions: usize,
    /// Positions are written at most this often.
    pub positions_interval: Duration,
}

#[derive(Clone, Copy, Debug, Default)]
struct Reached {
    delivered: u64,
    read: u64,
}

#[derive(Clone, Copy, Debug)]
struct Outage {
    since: Instant,
    retry_at: Instant,
    delay: Duration,
}

/// One statement's worth.
#[derive(Debug)]
pub enum Work {
    Messages(Batch),
    Positions(Vec<Position>),
}

/// What to do now.
#[derive(Debug)]
pub enum Next {
    Work(Work),
    /// Ask again then.
    At(Instant),
    /// Ask again when something arrives or ends.
    Nothing,
}

/// Submissions that are given up, and the answer to their senders.
#[derive(Debug)]
pub struct Refused {
    pub submissions: Vec<Waiting>,
    pub problem: Problem,
}

impl Buffer {
    pub fn new(bounds: Bounds) -> Self {
        Self {
            bounds,
            waiting: VecDeque::new(),
            parts: Vec::new(),
            positions: BTreeMap::new(),
            positions_due: None,
            outage: None,
            conflicts: 0,
            busy: false,
            draining: false,
        }
    }

    pub fn push(&mut self, waiting: Waiting) {
        self.waiting.push_back(waiting);
    }

    /// Positions only grow, so the highest stands for all; what was read has
    /// been delivered.
    pub fn reach(&mut self, progress: Progress) {
        let key = (progress.conversation, progress.user);
        if self.positions.len() >= self.bounds.positions && !self.positions.contains_key(&key) {
            return;
        }
        let reached = self.positions.entry(key).or_default();
        reached.read = reached.read.max(progress.read);
        reached.delivered = reached.delivered.max(progress.delivered).max(reached.read);
    }

    /// From now on positions wait no longer than messages.
    pub fn drain(&mut self) {
        self.draining = true;
    }

    /// Whether nothing is left to do.
    pub fn is_settled(&self) -> bool {
        !self.busy && self.waiting.is_empty() && self.positions.is_empty()
    }

    /// What to do at `now`. Work that is handed out comes back through
    /// [`done`](Self::done) or [`failed`](Self::failed) before there is more.
    pub fn next(&mut self, now: Instant) -> Next {
        if self.busy {
            return Next::Nothing;
        }
        if let Some(outage) = &self.outage
            && now < outage.retry_at
        {
            return Next::At(outage.retry_at);
        }
        // A message never waits for more than one statement of positions in
        // each interval.
        let too_early = self.positions_due.filter(|due| now < *due && !self.draining);
        let work = match too_early {
            None if !self.positions.is_empty() => Work::Positions(self.take_positions(now)),
            _ if !self.waiting.is_empty() => Work::Messages(self.take_batch()),
            Some(due) if !self.positions.is_empty() => return Next::At(due),
            _ => return Next::Nothing,
        };
        self.busy = true;
        Next::Work(work)
    }

    fn take_positions(&mut self, now: Instant) -> Vec<Position> {
        self.positions_due = Some(now + self.bounds.positions_interval);
        let mut taken = Vec::new();
        while taken.len() < self.bounds.batch
            && let Some(((conversation, user), reached)) = self.positions.pop_first()
        {
            taken.push(Position { conversation, user, delivered: reached.delivered, read: reached.read });
        }
        taken
    }

    fn take_batch(&mut self) -> Batch {
        let limit = self.parts.last().copied().unwrap_or(self.bounds.batch);
        let mut batch = Batch::default();
        let mut deferred = Vec::new();
        while batch.len() < limit
            && let Some(waiting) = self.waiting.pop_front()
        {
            deferred.extend(batch.add(waiting).err());
        }
        for waiting in deferred.into_iter().rev() {
            self.waiting.push_front(waiting);
        }
        batch
    }

    /// The work was committed; for messages.
    pub fn stored(&mut self) {
        self.parts.pop();
        self.recovered();
    }

    /// The work was committed; for positions.
    pub fn moved(&mut self) {
        self.recovered();
    }

    fn recovered(&mut self) {
        self.busy = false;
        self.outage = None;
        self.conflicts = 0;
    }

    /// Nothing of the work was committed, as far as is known; what is already
    /// stored will be found. Says what is given up.
    pub fn failed(&mut self, work: Work, fault: &Fault, now: Instant) -> Option<Refused> {
        self.busy = false;
        match fault {
            Fault::Rejected(_) => return self.rejected(work, fault),
            Fault::Conflict(_) if self.conflicts < CONFLICTS_AT_ONCE => {
                self.conflicts += 1;
                self.put_back(work);
                return None;
            }
            Fault::Conflict(_) | Fault::Refusing(_) | Fault::Away(_) => {}
        }
        self.put_back(work);
        let outage = self.outage_goes_on(now);
        // Without PostgreSQL sends wait for as long as it takes: they are
        // bounded, and senders see that they wait. One that is there and
        // cannot store needs somebody to act, and that is to be seen.
        let refusing = matches!(fault, Fault::Refusing(_));
        (refusing && now.duration_since(outage.since) >= REFUSING_PATIENCE).then(|| self.give_up())
    }

    fn outage_goes_on(&mut self, now: Instant) -> Outage {
        let delay = self.outage.map_or(BACK_OFF_MIN, |outage| (outage.delay * 2).min(BACK_OFF_MAX));
        let since = self.outage.map_or(now, |outage| outage.since);
        *self.outage.insert(Outage { since, retry_at: now + delay, delay })
    }

    fn give_up(&mut self) -> Refused {
        self.parts.clear();
        let sentence = "Messages cannot be stored now.";
        Refused {
            submissions: self.waiting.drain(..).collect(),
            problem: Problem::new(Code::StorageUnavailable, sentence).retry_after_ms(UNAVAILABLE_RETRY_MS),
        }
    }

    /// A value in the work cannot be stored: halves it until it stands alone.
    fn rejected(&mut self, work: Work, fault: &Fault) -> Option<Refused> {
        let batch = match work {
            Work::Messages(batch) => batch,
            // Their values cannot be wrong; a position lost is harmless.
            Work::Positions(_) => return None,
        };
        self.parts.pop();
        let length = batch.len();
        if length > 1 {
            self.parts.extend([length - length / 2, length / 2]);
            self.put_back(Work::Messages(batch));
            return None;
        }
        let problem = if fault.is_text() {
            Problem::new(Code::InvalidText, "This text cannot be stored.").field("body")
        } else {
            Problem::new(Code::Internal, "This message cannot be stored.")
        };
        Some(Refused { submissions: batch.into_waiting().collect(), problem })
    }

    fn put_back(&mut self, work: Work) {
        match work {
            Work::Messages(batch) => {
                for waiting in batch.into_waiting().rev() {
                    self.waiting.push_front(waiting);
                }
            }
            Work::Positions(positions) => {
                for Position { conversation, user, delivered, read } in positions {
                    self.reach(Progress { user, conversation, delivered, read });
                }
            }
        }
    }

    #[cfg(test)]
    pub fn check_invariants(&self) {
        assert!(self.positions.len() <= self.bounds.positions);
        assert!(self.positions.values().all(|reached| reached.read <= reached.delivered));
        assert!(self.parts.iter().all(|part| (1..=self.bounds.batch).contains(part)));
        assert!(self.parts.is_empty() || self.busy || !self.waiting.is_empty(), "parts of nothing");
    }
}
