use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use time::OffsetDateTime;

use super::QueuedSend;
use crate::bus::{EventDelivery, LocalResult, ReceiptDelivery, Recipients};
use crate::database::{AppendOutcome, Appended, NewEvent, PositionChange};
use crate::domain::{ClientId, ConversationId, IdMap, UserId, Visibility, rfc3339};
use crate::protocol::{Code, Content, Event, PINS_MAX, Problem};
use crate::registry::{SendRequest, SendResult, StoredEvent, UserDelivery};

/// What is published after a commit, and the results that come with it.
pub type Published<D> = (Vec<D>, Vec<LocalResult>);

/// Sends that are stored together, in the order in which they arrived.
///
/// The same one may be in the batch several times (resent before it was stored):
/// it goes to the database once and is answered every time.
#[derive(Debug, Default)]
pub struct Batch {
    entries: Vec<BatchEntry>,
    /// Indices into `entries`: the first of each operation.
    distinct: Vec<usize>,
    // Clients choose these ids.
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

    /// The events of the committed batch, in the order of the logs, and the results of
    /// its sends.
    ///
    /// Every event is published, even one that had been stored before: its first
    /// delivery may have been lost in a crash right after the commit. Clients drop
    /// events that they have.
    ///
    /// The permits of the queue are released before anything is delivered.
    pub fn publish(self, appended: &Appended) -> Published<EventDelivery> {
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
        let (mut events, mut results) = (Vec::with_capacity(order.len()), Vec::with_capacity(order.len()));
        for entry in order {
            let request = &entry.queued.request;
            let outcome = &outcomes[entry.operation];
            if let (Ok(stored), false) = (outcome, entry.repeated)
                && let Some(members) = appended.members.get(&request.conversation)
            {
                let to = Recipients::of(request.conversation, *members);
                events.push(EventDelivery { stored: stored.clone(), to });
            }
            let outcome = outcome
                .clone()
                .map(|event| StoredEvent { duplicate: event.duplicate || entry.repeated, ..event });
            results.push(send_result(request, outcome, events.len()));
        }
        (events, results)
    }
}

/// Sends that are refused, and the problem that their senders get.
#[derive(Debug)]
pub struct Refused {
    pub requests: Vec<QueuedSend>,
    pub problem: Problem,
}

/// How many errors about conversations of others one statement returns to a user:
/// a client that claims to have read many has no use for more.
const ERRORS_MAX: usize = 8;

/// The receipts of changed positions: other members get the position, unless it is
/// hidden from them; the user's own connections get the unread count.
pub fn publish_positions(
    changes: &[PositionChange],
    is_hidden: impl Fn(UserId, Visibility) -> bool,
) -> Published<ReceiptDelivery> {
    let (mut receipts, mut results) = (Vec::with_capacity(2 * changes.len()), Vec::new());
    let mut errors: IdMap<UserId, usize> = IdMap::default();
    for change in changes {
        match change {
            PositionChange::NoSuchConversation { user, conversation } => {
                let count = errors.entry(*user).or_default();
                *count += 1;
                if *count <= ERRORS_MAX {
                    let result = UserDelivery::NoSuchConversation(*conversation);
                    results.push(LocalResult { user: *user, after: receipts.len(), result });
                }
            }
            PositionChange::Advanced { position, unread, visibility, members } => {
                if unread.is_some() {
                    let to = Recipients::User(position.user);
                    receipts.push(ReceiptDelivery { receipt: position.receipt(*unread), to });
                }
                if !is_hidden(position.user, *visibility) {
                    let to = Recipients::of(position.conversation, *members);
                    receipts.push(ReceiptDelivery { receipt: position.receipt(None), to });
                }
            }
        }
    }
    (receipts, results)
}

/// The results of refused sends.
pub fn refuse(refused: Refused) -> Vec<LocalResult> {
    let Refused { requests, problem } = refused;
    requests.iter().map(|queued| send_result(&queued.request, Err(problem.clone()), 0)).collect()
}

/// A result, for its place behind this many events.
fn send_result(request: &SendRequest, outcome: Result<StoredEvent, Problem>, after: usize) -> LocalResult {
    let result = SendResult {
        origin: request.origin,
        client_id: request.client_id,
        conversation: request.conversation,
        outcome,
    };
    LocalResult { user: request.sender, after, result: UserDelivery::SendResult(result) }
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
            let event = Event {
                conversation: request.conversation,
                seq,
                sender: request.sender,
                client_id: request.client_id,
                at: clock.write(at),
                content: Content::from(&request.operation),
            };
            Ok(StoredEvent::new(event, duplicate))
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
