//! A database that fails in every way, and a buffer that works against it.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use time::OffsetDateTime;
use tokio::sync::Semaphore;
use uuid::Uuid;

use crate::database::{Appended, Fault, Place};
use crate::directory::{ConnectionId, Settled, Submission};
use crate::domain::{ClientId, ConversationId, Seq, Text, UserId};
use crate::persistence::batch::{self, Batch, Deliveries};
use crate::persistence::buffer::{Bounds, Buffer, Next, Work};
use crate::persistence::{Generation, Waiting};
use crate::protocol::Code;

pub const BOUNDS: Bounds = Bounds { batch: 4, positions: 8, positions_interval: Duration::from_millis(250) };

/// Nothing that has this body can be stored.
pub const POISON: &str = "poison";

pub fn user(number: u8) -> UserId {
    UserId(Uuid::from_u128(1_000 + u128::from(number)))
}

pub fn conversation(number: u8) -> ConversationId {
    ConversationId(Uuid::from_u128(2_000 + u128::from(number)))
}

/// `number` orders the submissions of a test.
pub fn submission(sender: u8, client_id: u8, talk: u8, body: &str, number: u64) -> Waiting {
    let room = Arc::new(Semaphore::new(1));
    let submission = Submission {
        sender: user(sender),
        origin: ConnectionId(number),
        client_id: ClientId(Uuid::from_u128(3_000 + u128::from(client_id))),
        conversation: conversation(talk),
        body: Text::parse(body, 100).unwrap(),
    };
    Waiting { submission, generation: Generation(0), _room: room.try_acquire_owned().unwrap() }
}

fn error() -> sqlx::Error {
    sqlx::Error::WorkerCrashed
}

/// What a statement may do to a batch besides succeeding.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Luck {
    Good,
    Conflict,
    Away,
    /// Committed, but the connection broke before it was said.
    Unknown,
    Refusing,
}

/// Three users; conversation 2 is none of user 0's.
#[derive(Default)]
pub struct Store {
    pub events: HashMap<(UserId, ClientId), (ConversationId, String, Seq)>,
    pub logs: BTreeMap<ConversationId, Vec<(UserId, ClientId)>>,
}

impl Store {
    fn members(talk: ConversationId) -> Vec<UserId> {
        (if talk == conversation(2) { 1..3 } else { 0..3 }).map(user).collect()
    }

    pub fn append(&mut self, batch: &Batch, luck: Luck) -> Result<Appended, Fault> {
        match luck {
            Luck::Conflict => return Err(Fault::Conflict(error())),
            Luck::Away => return Err(Fault::Away(error())),
            Luck::Refusing => return Err(Fault::Refusing(error())),
            Luck::Good | Luck::Unknown => {}
        }
        let events = batch.events();
        if events.iter().any(|event| event.body == POISON) {
            return Err(Fault::Rejected(error()));
        }
        let mut appended = Appended::default();
        for event in events {
            let members = Self::members(event.conversation);
            let known = self.events.get(&(event.sender, event.client_id));
            let place = match known {
                Some((talk, body, seq)) if *talk == event.conversation && body == event.body => {
                    Place::Stored { seq: *seq, at: OffsetDateTime::UNIX_EPOCH, duplicate: true }
                }
                Some(_) => Place::IdReused,
                None if !members.contains(&event.sender) => Place::NoSuchConversation,
                None => {
                    let log = self.logs.entry(event.conversation).or_default();
                    log.push((event.sender, event.client_id));
                    let seq = log.len() as Seq;
                    let stored = (event.conversation, event.body.to_owned(), seq);
                    let twice = self.events.insert((event.sender, event.client_id), stored);
                    assert_eq!(twice, None, "stored twice");
                    Place::Stored { seq, at: OffsetDateTime::UNIX_EPOCH, duplicate: false }
                }
            };
            appended.places.push(place);
            appended.members.insert(event.conversation, members.into());
        }
        if luck == Luck::Unknown { Err(Fault::Away(error())) } else { Ok(appended) }
    }
}

/// Where it stands and whether it was known, or why not.
pub type Verdict = Result<(Seq, bool), Code>;

/// A buffer, its database, and everything that was said to the users.
pub struct World {
    pub buffer: Buffer,
    pub store: Store,
    pub now: Instant,
    /// By the number of the submission: the codes of its answers.
    pub answers: BTreeMap<u64, Vec<Verdict>>,
}

impl World {
    pub fn new() -> Self {
        Self {
            buffer: Buffer::new(BOUNDS),
            store: Store::default(),
            now: Instant::now(),
            answers: BTreeMap::new(),
        }
    }

    /// One statement, or the wait until one is due. False: nothing to do.
    pub fn step(&mut self, luck: Luck) -> bool {
        let work = self.buffer.next(self.now);
        self.buffer.check_invariants();
        match work {
            Next::Nothing => return false,
            Next::At(at) => self.now = at,
            Next::Work(Work::Messages(batch)) => match self.store.append(&batch, luck) {
                Ok(appended) => {
                    self.buffer.stored();
                    self.note(batch.settle(&appended));
                }
                Err(fault) => self.fail(Work::Messages(batch), &fault),
            },
            Next::Work(Work::Positions(positions)) => match luck {
                Luck::Good => self.buffer.moved(),
                _ => self.fail(Work::Positions(positions), &Fault::Away(error())),
            },
        }
        self.buffer.check_invariants();
        true
    }

    fn fail(&mut self, work: Work, fault: &Fault) {
        if let Some(refused) = self.buffer.failed(work, fault, self.now) {
            self.note(batch::refuse(refused));
        }
    }

    pub fn note(&mut self, deliveries: Deliveries) {
        for settled in deliveries.into_values().flatten() {
            if let Settled::Answer(answer) = settled {
                let outcome = answer.outcome.map(|committed| (committed.message.seq, committed.duplicate));
                let outcome = outcome.map_err(|problem| problem.code);
                self.answers.entry(answer.origin.0).or_default().push(outcome);
            }
        }
    }

    pub fn finish(&mut self) {
        while self.step(Luck::Good) {}
        assert!(self.buffer.is_settled());
    }
}
