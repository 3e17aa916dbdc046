use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use time::OffsetDateTime;

use super::Waiting;
use super::buffer::Refused;
use crate::database::{Appended, Moved, NewEvent, Place};
use crate::directory::{Answer, Committed, Settled, Submission};
use crate::domain::{ClientId, UserId, Visibility, rfc3339};
use crate::protocol::{Code, Message, Problem, ServerFrame};

/// What a batch means for each user: one message to each, however much it is.
pub type Deliveries = HashMap<UserId, Vec<Settled>>;

/// Submissions that are stored together, in the order in which they came.
///
/// The same message may be in it several times (resent before it was stored):
/// it goes to the database once and is answered every time.
#[derive(Debug, Default)]
pub struct Batch {
    entries: Vec<Entrant>,
    /// Indices into `entries`: the first of each message.
    distinct: Vec<usize>,
    by_name: HashMap<(UserId, ClientId), usize>,
}

#[derive(Debug)]
struct Entrant {
    waiting: Waiting,
    /// Index into `distinct`.
    message: usize,
    repeated: bool,
}

impl Batch {
    /// Takes it in, unless its client id names another message of this batch:
    /// which of the two it stands for, the database says of the first.
    pub fn add(&mut self, waiting: Waiting) -> Result<(), Waiting> {
        let submission = &waiting.submission;
        let (message, repeated) = match self.by_name.entry((submission.sender, submission.client_id)) {
            Entry::Vacant(vacant) => {
                vacant.insert(self.distinct.len());
                self.distinct.push(self.entries.len());
                (self.distinct.len() - 1, false)
            }
            Entry::Occupied(occupied) => {
                let message = *occupied.get();
                let first = &self.entries[self.distinct[message]].waiting.submission;
                if first.conversation != submission.conversation || first.body != submission.body {
                    return Err(waiting);
                }
                (message, true)
            }
        };
        self.entries.push(Entrant { waiting, message, repeated });
        Ok(())
    }

    pub fn len(&self) -> usize {
        self.entries.len()
    }

    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Everything in it, in order.
    pub fn into_waiting(self) -> impl DoubleEndedIterator<Item = Waiting> {
        self.entries.into_iter().map(|entrant| entrant.waiting)
    }

    /// Each message once.
    pub fn events(&self) -> Vec<NewEvent<'_>> {
        let event = |index: &usize| {
            let submission = &self.entries[*index].waiting.submission;
            NewEvent {
                sender: submission.sender,
                client_id: submission.client_id,
                conversation: submission.conversation,
                body: submission.body.as_str(),
            }
        };
        self.distinct.iter().map(event).collect()
    }

    /// What the committed batch means for whom, in the order of the logs.
    ///
    /// Every message goes to the other members, also one that had been stored
    /// before: its first delivery may have been lost in a crash right after
    /// the commit. Members drop what they know.
    ///
    /// The places in the queue are free again before anybody hears of it.
    pub fn settle(self, appended: &Appended) -> Deliveries {
        let mut clock = Clock::default();
        let outcomes: Vec<_> = self
            .distinct
            .iter()
            .zip(&appended.places)
            .map(|(index, place)| outcome(&self.entries[*index].waiting.submission, *place, &mut clock))
            .collect();
        let mut order: Vec<&Entrant> = self.entries.iter().collect();
        // Those stored before lie before those stored now.
        order.sort_by_key(|entrant| match appended.places[entrant.message] {
            Place::Stored { seq, duplicate: true, .. } => seq,
            _ => u64::MAX,
        });
        let mut deliveries = Deliveries::new();
        for entrant in order {
            let submission = &entrant.waiting.submission;
            let outcome = &outcomes[entrant.message];
            if let (Ok(committed), false) = (outcome, entrant.repeated) {
                let members = appended.members.get(&submission.conversation);
                for member in members.iter().flat_map(|members| members.iter()) {
                    if *member != submission.sender {
                        deliveries.entry(*member).or_default().push(Settled::Event(committed.clone()));
                    }
                }
            }
            let outcome = outcome.clone().map(|committed| Committed {
                duplicate: committed.duplicate || entrant.repeated,
                ..committed
            });
            deliveries.entry(submission.sender).or_default().push(answer(submission, outcome));
        }
        deliveries
    }
}

/// What moved positions mean for whom: others see how far the member got, unless
/// that is hidden from them; the member's own connections see what is left unread.
pub fn settle_positions(moved: &[Moved], is_hidden: impl Fn(UserId, Visibility) -> bool) -> Deliveries {
    let mut deliveries = Deliveries::new();
    for moved in moved {
        match moved {
            Moved::NoSuchConversation { user, conversation } => {
                deliveries.entry(*user).or_default().push(Settled::NoSuchConversation(*conversation));
            }
            Moved::To { position, unread, visibility, others } => {
                let receipt =
                    |unread| Settled::Receipt(ServerFrame::Receipt(position.receipt(unread)).encode());
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

/// A refusal of submissions, by sender.
pub fn refuse(refused: Refused) -> Deliveries {
    let Refused { submissions, problem } = refused;
    let mut deliveries = Deliveries::new();
    for Waiting { submission, .. } in submissions {
        deliveries.entry(submission.sender).or_default().push(answer(&submission, Err(problem.clone())));
    }
    deliveries
}

fn answer(submission: &Submission, outcome: Result<Committed, Problem>) -> Settled {
    Settled::Answer(Answer {
        origin: submission.origin,
        client_id: submission.client_id,
        conversation: submission.conversation,
        outcome,
    })
}

/// Writes times; those of a batch are nearly all the same.
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

fn outcome(submission: &Submission, place: Place, clock: &mut Clock) -> Result<Committed, Problem> {
    match place {
        Place::Stored { seq, at, duplicate } => {
            let frame = ServerFrame::Message(Message {
                conversation: submission.conversation,
                seq,
                sender: submission.sender,
                client_id: submission.client_id,
                at: clock.write(at),
                body: submission.body.shared(),
            });
            let encoded = frame.encode();
            let ServerFrame::Message(message) = frame else { unreachable!("made two lines above") };
            Ok(Committed { message: Arc::new(message), frame: encoded, duplicate })
        }
        Place::IdReused => {
            let sentence = "This client_id names another message of yours.";
            Err(Problem::new(Code::IdReused, sentence).field("client_id"))
        }
        Place::NoSuchConversation => Err(no_such_conversation()),
    }
}

fn no_such_conversation() -> Problem {
    Problem::new(Code::NotFound, "There is no such conversation.").field("conversation")
}
