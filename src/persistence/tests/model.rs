//! A database that fails in every way, and a buffer that works against it.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use time::OffsetDateTime;
use tokio::sync::Semaphore;
use uuid::Uuid;

use crate::bus::LocalResult;
use crate::database::{AppendOutcome, Appended, WriteError};
use crate::domain::{ClientId, ConversationId, Members, MessageText, Operation, Seq, UserId};
use crate::persistence::batch::{self, Batch};
use crate::persistence::buffer::{Bounds, Buffer, Next, Work};
use crate::persistence::receipts::PendingReceipts;
use crate::persistence::{Generation, QueuedSend};
use crate::protocol::Code;
use crate::registry::{ConnectionId, SendRequest, UserDelivery};

pub const BOUNDS: Bounds = Bounds { batch: 4, positions_interval: Duration::from_millis(250) };

/// Nothing that has this body can be stored.
pub const POISON: &str = "poison";

pub fn user(number: u8) -> UserId {
    UserId(Uuid::from_u128(1_000 + u128::from(number)))
}

pub fn conversation(number: u8) -> ConversationId {
    ConversationId(Uuid::from_u128(2_000 + u128::from(number)))
}

/// `number` orders the requests of a test.
pub fn send_request(sender: u8, client_id: u8, talk: u8, body: &str, number: u64) -> QueuedSend {
    let room = Arc::new(Semaphore::new(1));
    let request = SendRequest {
        sender: user(sender),
        origin: ConnectionId(number),
        client_id: ClientId(Uuid::from_u128(3_000 + u128::from(client_id))),
        conversation: conversation(talk),
        operation: Operation::Message(MessageText::parse(body, 100).unwrap()),
    };
    QueuedSend { request, generation: Generation(0), _room: room.try_acquire_owned().unwrap() }
}

/// The text of a message.
pub fn text_of(operation: &Operation) -> &str {
    match operation {
        Operation::Message(text) => text.as_str(),
        other => panic!("no message: {other:?}"),
    }
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
    pub events: HashMap<(ConversationId, UserId, ClientId), (Operation, Seq)>,
    pub logs: BTreeMap<ConversationId, Vec<(UserId, ClientId)>>,
}

impl Store {
    fn members(talk: ConversationId) -> Vec<UserId> {
        (if talk == conversation(2) { 1..3 } else { 0..3 }).map(user).collect()
    }

    pub fn append(&mut self, batch: &Batch, luck: Luck) -> Result<Appended, WriteError> {
        match luck {
            Luck::Conflict => return Err(WriteError::Conflict(error())),
            Luck::Away => return Err(WriteError::Unreachable(error())),
            Luck::Refusing => return Err(WriteError::Unwritable(error())),
            Luck::Good | Luck::Unknown => {}
        }
        let events = batch.events();
        if events.iter().any(|event| text_of(event.operation) == POISON) {
            return Err(WriteError::Rejected(error()));
        }
        let mut appended = Appended::default();
        for event in events {
            let members = Self::members(event.conversation);
            let name = (event.conversation, event.sender, event.client_id);
            let outcome = match self.events.get(&name) {
                Some((operation, seq)) if operation == event.operation => {
                    AppendOutcome::Stored { seq: *seq, at: OffsetDateTime::UNIX_EPOCH, duplicate: true }
                }
                Some(_) => AppendOutcome::IdReused,
                None if !members.contains(&event.sender) => AppendOutcome::NoSuchConversation,
                None => {
                    let log = self.logs.entry(event.conversation).or_default();
                    log.push((event.sender, event.client_id));
                    let seq = log.len() as Seq;
                    let twice = self.events.insert(name, (event.operation.clone(), seq));
                    assert_eq!(twice, None, "stored twice");
                    AppendOutcome::Stored { seq, at: OffsetDateTime::UNIX_EPOCH, duplicate: false }
                }
            };
            appended.outcomes.push(outcome);
            appended.members.insert(event.conversation, Members::Group);
        }
        if luck == Luck::Unknown { Err(WriteError::Unreachable(error())) } else { Ok(appended) }
    }
}

/// Where it stands and whether it was known, or why not.
pub type Verdict = Result<(Seq, bool), Code>;

/// A buffer, its database, and everything that was said to the users.
pub struct World {
    pub buffer: Buffer,
    pub receipts: PendingReceipts,
    pub store: Store,
    pub now: Instant,
    /// By the number of the request: the codes of its answers.
    pub answers: BTreeMap<u64, Vec<Verdict>>,
}

impl World {
    pub fn new() -> Self {
        let receipts = PendingReceipts::new(8);
        Self {
            buffer: Buffer::new(BOUNDS, receipts.clone()),
            receipts,
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
                    self.buffer.messages_committed();
                    self.note(batch.publish(&appended).1);
                }
                Err(error) => self.fail(Work::Messages(batch), &error),
            },
            Next::Work(Work::Positions(positions)) => match luck {
                Luck::Good => self.buffer.positions_committed(),
                _ => self.fail(Work::Positions(positions), &WriteError::Unreachable(error())),
            },
        }
        self.buffer.check_invariants();
        true
    }

    fn fail(&mut self, work: Work, error: &WriteError) {
        if let Some(refused) = self.buffer.failed(work, error, self.now) {
            self.note(batch::refuse(refused));
        }
    }

    pub fn note(&mut self, results: Vec<LocalResult>) {
        for LocalResult { result, .. } in results {
            if let UserDelivery::SendResult(answer) = result {
                let outcome = answer.outcome.map(|committed| (committed.event.seq, committed.duplicate));
                let outcome = outcome.map_err(|problem| problem.code);
                self.answers.entry(answer.origin.0).or_default().push(outcome);
            }
        }
    }

    pub fn finish(&mut self) {
        while self.step(Luck::Good) {}
        assert!(self.buffer.is_idle());
    }
}
