use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use time::OffsetDateTime;

use super::QueuedSend;
use super::buffer::Refused;
use crate::database::{AppendOutcome, Appended, NewEvent, PositionChange};
use crate::directory::{Delivery, SendRequest, SendResult, StoredEvent};
use crate::domain::{ClientId, ConversationId, UserId, Visibility, rfc3339};
use crate::protocol::{Code, Content, Event, PINS_MAX, Problem, ServerFrame};

/// What each user's actor is sent after a batch: one message to each user.
pub type Deliveries = HashMap<UserId, Vec<Delivery>>;

/// Sends that are stored together, in the order in which they arrived.
///
/// The same one may be in the batch several times (resent before it was stored):
/// it goes to the database once and is answered every time.
#[derive(Debug, Default)]
pub struct Batch {
    entries: Vec<BatchEntry>,
    /// Indices into `entries`: the first of each operation.
    distinct: Vec<usize>,
    by_name: HashMap<(ConversationId, UserId, ClientId), usize>,
}

#[derive(Debug)]
struct BatchEntry {
    queued: QueuedSend,
    /// Index into `distinct`.
    operation: usize,
    repeated: bool,
}

impl Batch {
    /// Adds a send. Returns it if its client id belongs to another operation of this batch:
    /// once the first is stored, the database rejects the second.
    pub fn add(&mut self, queued: QueuedSend) -> Result<(), QueuedSend> {
        let request = &queued.request;
        let name = (request.conversation, request.sender, request.client_id);
        let (operation, repeated) = match self.by_name.entry(name) {
            Entry::Vacant(vacant) => {
                vacant.insert(self.distinct.len());
                self.distinct.push(self.entries.len());
                (self.distinct.len() - 1, false)
            }
            Entry::Occupied(occupied) => {
                let index = *occupied.get();
                if self.entries[self.distinct[index]].queued.request.operation != request.operation {
                    return Err(queued);
                }
                (index, true)
            }
        };
        self.entries.push(BatchEntry { queued, operation, repeated });
        Ok(())
    }

    pub fn len(&self) -> usize {
        self.entries.len()
    }

    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// All sends, in order.
    pub fn into_sends(self) -> impl DoubleEndedIterator<Item = QueuedSend> {
        self.entries.into_iter().map(|entry| entry.queued)
    }

    /// Each operation once.
    pub fn events(&self) -> Vec<NewEvent<'_>> {
        let event = |index: &usize| {
            let request = &self.entries[*index].queued.request;
            NewEvent {
                sender: request.sender,
                client_id: request.client_id,
                conversation: request.conversation,
                operation: &request.operation,
            }
        };
        self.distinct.iter().map(event).collect()
    }

    /// The deliveries of the committed batch, in the order of the logs.
    ///
    /// Every event goes to the other members, even one that had been stored
    /// before: its first delivery may have been lost in a crash right after
    /// the commit. Clients drop events that they have.
    ///
    /// The permits of the queue are released before anything is delivered.
    pub fn fan_out(self, appended: &Appended) -> Deliveries {
        let mut clock = Clock::default();
        let outcomes: Vec<_> = self
            .distinct
            .iter()
            .zip(&appended.outcomes)
            .map(|(index, append_outcome)| {
                outcome(&self.entries[*index].queued.request, *append_outcome, &mut clock)
            })
            .collect();
        let mut order: Vec<&BatchEntry> = self.entries.iter().collect();
        // Events stored before precede those stored now.
        order.sort_by_key(|entry| match appended.outcomes[entry.operation] {
            AppendOutcome::Stored { seq, duplicate: true, .. } => seq,
            _ => u64::MAX,
        });
        let mut deliveries = Deliveries::new();
        for entry in order {
            let request = &entry.queued.request;
            let outcome = &outcomes[entry.operation];
            if let (Ok(event), false) = (outcome, entry.repeated) {
                let members = appended.members.get(&request.conversation);
                for member in members.iter().flat_map(|members| members.iter()) {
                    if *member != request.sender {
                        deliveries.entry(*member).or_default().push(Delivery::Event(event.clone()));
                    }
                }
            }
            let outcome = outcome
                .clone()
                .map(|event| StoredEvent { duplicate: event.duplicate || entry.repeated, ..event });
            deliveries.entry(request.sender).or_default().push(send_result(request, outcome));
        }
        deliveries
    }
}

/// How many errors about conversations of others one statement returns to a user:
/// a client that claims to have read many has no use for more.
const ERRORS_MAX: usize = 8;

/// The deliveries of changed positions: other members get the position, unless it is
/// hidden from them; the user's own connections get the unread count.
pub fn fan_out_positions(
    changes: &[PositionChange],
    is_hidden: impl Fn(UserId, Visibility) -> bool,
) -> Deliveries {
    let mut deliveries = Deliveries::new();
    for change in changes {
        match change {
            PositionChange::NoSuchConversation { user, conversation } => {
                let own = deliveries.entry(*user).or_default();
                let is_error = |delivery: &&Delivery| matches!(delivery, Delivery::NoSuchConversation(_));
                if own.iter().filter(is_error).count() < ERRORS_MAX {
                    own.push(Delivery::NoSuchConversation(*conversation));
                }
            }
            PositionChange::Advanced { position, unread, visibility, others } => {
                let receipt =
                    |unread| Delivery::Receipt(ServerFrame::Receipt(position.receipt(unread)).encode());
                if unread.is_some() {
                    deliveries.entry(position.user).or_default().push(receipt(*unread));
                }
                if is_hidden(position.user, *visibility) {
                    continue;
                }
                let seen = receipt(None);
                for other in others {
                    deliveries.entry(*other).or_default().push(seen.clone());
                }
            }
        }
    }
    deliveries
}

/// The deliveries of refused sends.
pub fn refuse(refused: Refused) -> Deliveries {
    let Refused { requests, problem } = refused;
    let mut deliveries = Deliveries::new();
    for QueuedSend { request, .. } in requests {
        deliveries.entry(request.sender).or_default().push(send_result(&request, Err(problem.clone())));
    }
    deliveries
}

fn send_result(request: &SendRequest, outcome: Result<StoredEvent, Problem>) -> Delivery {
    Delivery::SendResult(SendResult {
        origin: request.origin,
        client_id: request.client_id,
        conversation: request.conversation,
        outcome,
    })
}

/// Formats times; those of a batch are nearly all the same.
#[derive(Default)]
struct Clock(Option<(OffsetDateTime, Arc<str>)>);

impl Clock {
    fn write(&mut self, at: OffsetDateTime) -> Arc<str> {
        match &self.0 {
            Some((known, text)) if *known == at => text.clone(),
            _ => self.0.insert((at, rfc3339(at).into())).1.clone(),
        }
    }
}

fn outcome(
    request: &SendRequest,
    append_outcome: AppendOutcome,
    clock: &mut Clock,
) -> Result<StoredEvent, Problem> {
    match append_outcome {
        AppendOutcome::Stored { seq, at, duplicate } => {
            let frame = ServerFrame::Event(Event {
                conversation: request.conversation,
                seq,
                sender: request.sender,
                client_id: request.client_id,
                at: clock.write(at),
                content: Content::from(&request.operation),
            });
            let encoded = frame.encode();
            let ServerFrame::Event(event) = frame else { unreachable!("made two lines above") };
            Ok(StoredEvent { event: Arc::new(event), frame: encoded, duplicate })
        }
        AppendOutcome::IdReused => {
            let sentence = "You have already used this `client_id` for something else.";
            Err(Problem::new(Code::IdReused, sentence).field("client_id"))
        }
        AppendOutcome::NoSuchConversation => Err(no_such_conversation()),
        AppendOutcome::NoSuchMessage => {
            Err(Problem::new(Code::NotFound, "There is no such message.").field("target"))
        }
        AppendOutcome::TooManyPins => {
            let sentence = format!("At most {PINS_MAX} messages can be pinned in a conversation.");
            Err(Problem::new(Code::TooManyPins, sentence))
        }
    }
}

fn no_such_conversation() -> Problem {
    Problem::new(Code::NotFound, "There is no such conversation.").field("conversation")
}
