//! The order of sends through refusals: in examples, and against a model of a client, a line
//! and writers that behave at random.

use std::collections::{BTreeMap, VecDeque};

use proptest::prelude::*;

use super::*;
use crate::domain::{ConversationId, MessageText, Operation, UserId};
use crate::registry::ConnectionId;

/// Sends without an answer.
const MAX_UNANSWERED: usize = 32;
/// Refused sends, as `UserState::refuse` has it.
const MAX_REFUSED: usize = 2 * MAX_UNANSWERED;

fn id(number: u64) -> ClientId {
    ClientId(uuid::Uuid::from_u64_pair(0, number))
}

fn request(number: u64) -> SendRequest {
    SendRequest {
        sender: UserId(uuid::Uuid::nil()),
        origin: ConnectionId(1),
        client_id: id(number),
        conversation: ConversationId(uuid::Uuid::nil()),
        operation: Operation::Message(MessageText::parse("x", 1).unwrap()),
    }
}

fn order(in_flight: &InFlightSends) -> Vec<ClientId> {
    in_flight.unanswered().iter().map(|waiting| waiting.client_id).collect()
}

#[test]
fn what_has_no_answer_is_kept_in_order() {
    let mut in_flight = InFlightSends::default();
    for number in 0..3 {
        assert!(!in_flight.contains(&request(number)));
        in_flight.add(&request(number));
        assert!(in_flight.contains(&request(number)), "its answer is on the way");
    }
    in_flight.complete(id(1));
    assert_eq!(order(&in_flight), [id(0), id(2)]);
}

#[test]
fn refused_sends_come_back_one_after_the_other() {
    let mut in_flight = InFlightSends::default();
    for number in 0..3 {
        in_flight.refuse(id(number), MAX_UNANSWERED);
    }
    for number in 0..3 {
        for behind in number + 1..5 {
            assert_eq!(in_flight.ahead_of(id(behind)), Some(id(number)), "{behind} has to wait");
        }
        assert_eq!(in_flight.ahead_of(id(number)), None);
        in_flight.add(&request(number));
    }
    assert_eq!(in_flight.ahead_of(id(3)), None);
    assert_eq!(order(&in_flight), [id(0), id(1), id(2)]);
}

#[test]
fn a_refused_send_keeps_its_number() {
    let mut in_flight = InFlightSends::default();
    (0..3).for_each(|number| in_flight.add(&request(number)));
    // With two writers, the oldest may be the last to be refused.
    in_flight.refuse(id(1), MAX_UNANSWERED);
    in_flight.refuse(id(0), MAX_UNANSWERED);
    assert_eq!(in_flight.ahead_of(id(1)), Some(id(0)));
    assert_eq!(in_flight.ahead_of(id(2)), Some(id(0)), "it was taken, and is behind all the same");
    in_flight.add(&request(0));
    assert_eq!(in_flight.ahead_of(id(0)), None);
    in_flight.add(&request(1));
    assert_eq!(order(&in_flight), [id(0), id(1), id(2)]);
}

#[test]
fn what_is_given_up_or_stored_after_all_holds_up_nothing() {
    let mut in_flight = InFlightSends::default();
    for number in 0..3 {
        in_flight.refuse(id(number), MAX_UNANSWERED);
    }
    in_flight.give_up(id(9));
    in_flight.give_up(id(0));
    assert_eq!(in_flight.ahead_of(id(3)), Some(id(1)));
    in_flight.complete(id(1));
    in_flight.complete(id(2));
    assert_eq!(in_flight.ahead_of(id(3)), None);
}

#[test]
fn a_refusal_of_another_send_with_the_same_id_leaves_the_first_in_flight() {
    let mut in_flight = InFlightSends::default();
    in_flight.add(&request(0));
    in_flight.refuse_new(id(0), MAX_UNANSWERED);
    assert_eq!(order(&in_flight), [id(0)]);
    assert_eq!(in_flight.ahead_of(id(1)), Some(id(0)));
    in_flight.give_up(id(0));
    assert_eq!((order(&in_flight), in_flight.ahead_of(id(1))), (vec![id(0)], None));
    in_flight.refuse_new(id(0), MAX_UNANSWERED);
    in_flight.complete(id(0));
    assert_eq!((order(&in_flight), in_flight.ahead_of(id(1))), (vec![], None));
}

#[test]
fn no_more_is_remembered_than_may_be_on_the_way() {
    let mut in_flight = InFlightSends::default();
    for number in 0..1_000 {
        in_flight.refuse(id(number), MAX_UNANSWERED);
        in_flight.refuse(id(number), MAX_UNANSWERED);
    }
    assert_eq!(in_flight.refused.len(), MAX_UNANSWERED);
}

/// One connection: a client, the line in both directions, the user's actor and
/// the writers. Sends are numbered in the order in which they are written.
#[derive(Default)]
struct World {
    written: u64,
    /// Written and not known to be stored; whether it is to be handed to the line.
    outbox: BTreeMap<u64, Sending>,
    given_up: Vec<u64>,
    up: VecDeque<Up>,
    down: VecDeque<Down>,
    in_flight: InFlightSends,
    writers: [VecDeque<u64>; 2],
    /// What each writer has stored, once.
    logs: [Vec<u64>; 2],
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Sending {
    Waits,
    OnItsWay,
}

enum Up {
    Send(u64),
    GiveUp(u64),
}

enum Down {
    Stored(u64),
    Refused(u64),
}

#[derive(Clone, Copy, Debug)]
enum Act {
    Write,
    /// The client hands on what waits, in order.
    Pump,
    /// The user throws away what is not stored yet, by its number.
    Discard(u64),
    /// A frame arrives; whether a limit refuses it.
    Arrive {
        limited: bool,
    },
    Hear,
    Commit(usize),
    /// A writer cannot store: it refuses all that it has.
    Refuse(usize),
    /// Another actor or writer: what has no answer is submitted again.
    Resubmit {
        full: bool,
    },
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        4 => Just(Act::Write),
        4 => Just(Act::Pump),
        1 => (0..40u64).prop_map(Act::Discard),
        8 => prop::bool::weighted(0.2).prop_map(|limited| Act::Arrive { limited }),
        6 => Just(Act::Hear),
        4 => (0..2usize).prop_map(Act::Commit),
        1 => (0..2usize).prop_map(Act::Refuse),
        1 => any::<bool>().prop_map(|full| Act::Resubmit { full }),
    ]
}

impl World {
    fn act(&mut self, act: Act) {
        match act {
            Act::Write => {
                self.outbox.insert(self.written, Sending::Waits);
                self.written += 1;
            }
            Act::Pump => self.pump(),
            Act::Discard(number) => {
                if self.outbox.remove(&number).is_some() {
                    self.given_up.push(number);
                    self.up.push_back(Up::GiveUp(number));
                }
            }
            Act::Arrive { limited } => self.arrive(limited),
            Act::Hear => self.hear(),
            Act::Commit(writer) => {
                if let Some(number) = self.writers[writer].pop_front() {
                    if !self.logs[writer].contains(&number) {
                        self.logs[writer].push(number);
                    }
                    self.in_flight.complete(id(number));
                    self.down.push_back(Down::Stored(number));
                }
            }
            Act::Refuse(writer) => {
                for number in std::mem::take(&mut self.writers[writer]) {
                    self.refuse(number);
                }
                self.resubmit(false);
            }
            Act::Resubmit { full } => self.resubmit(full),
        }
    }

    /// The most careless client that keeps to the protocol: whatever is not on
    /// its way goes, the oldest first, whatever else has no answer.
    fn pump(&mut self) {
        let on_the_way = self.outbox.values().filter(|sending| **sending == Sending::OnItsWay).count();
        let waits = self.outbox.iter_mut().filter(|(_, sending)| **sending == Sending::Waits);
        for (number, sending) in waits.take(MAX_UNANSWERED - on_the_way) {
            *sending = Sending::OnItsWay;
            self.up.push_back(Up::Send(*number));
        }
    }

    /// As `UserState::on_send`.
    fn arrive(&mut self, limited: bool) {
        match self.up.pop_front() {
            Some(Up::GiveUp(number)) => self.in_flight.give_up(id(number)),
            Some(Up::Send(number)) if self.in_flight.contains(&request(number)) => {}
            Some(Up::Send(number)) if limited || !self.is_admitted(number) => self.refuse(number),
            Some(Up::Send(number)) => {
                self.in_flight.add(&request(number));
                self.writers[number as usize % 2].push_back(number);
            }
            None => {}
        }
    }

    /// As `UserState::admit`.
    fn is_admitted(&self, number: u64) -> bool {
        self.in_flight.ahead_of(id(number)).is_none() && self.in_flight.count() < MAX_UNANSWERED
    }

    /// As `UserState::refuse`.
    fn refuse(&mut self, number: u64) {
        self.in_flight.refuse(id(number), MAX_REFUSED);
        self.down.push_back(Down::Refused(number));
    }

    /// As `UserState::resubmit`. What a writer has already it stores once.
    fn resubmit(&mut self, full: bool) {
        for request in self.in_flight.unanswered() {
            let number = request.client_id.0.as_u64_pair().1;
            if full || self.in_flight.ahead_of(request.client_id).is_some() {
                self.refuse(number);
            } else {
                self.writers[number as usize % 2].push_back(number);
            }
        }
    }

    fn hear(&mut self) {
        match self.down.pop_front() {
            Some(Down::Stored(number)) => drop(self.outbox.remove(&number)),
            Some(Down::Refused(number)) => match self.outbox.get_mut(&number) {
                Some(sending) => *sending = Sending::Waits,
                None => self.up.push_back(Up::GiveUp(number)),
            },
            None => {}
        }
    }

    fn rest(&mut self) {
        for _ in 0..3 * self.written + 10 {
            self.pump();
            while !self.up.is_empty() {
                self.act(Act::Arrive { limited: false });
            }
            for writer in 0..2 {
                while !self.writers[writer].is_empty() {
                    self.act(Act::Commit(writer));
                }
            }
            while !self.down.is_empty() {
                self.hear();
            }
        }
    }
}

proptest! {
    /// Whatever is refused, lost with an actor or a writer, late or given up:
    /// each conversation has what was written there, in order and once, and
    /// nothing is stuck.
    #[test]
    fn order_holds_through_any_stall(acts in prop::collection::vec(act(), 1..300)) {
        let mut world = World::default();
        for act in acts {
            world.act(act);
        }
        world.rest();
        prop_assert!(world.outbox.is_empty(), "stuck: {:?}", world.in_flight);
        prop_assert!(world.in_flight.refused.is_empty(), "waited for in vain: {:?}", world.in_flight);
        for (writer, log) in world.logs.iter().enumerate() {
            prop_assert!(log.is_sorted(), "{log:?}");
            let missing = (0..world.written)
                .filter(|number| *number as usize % 2 == writer)
                .find(|number| !log.contains(number) && !world.given_up.contains(number));
            prop_assert_eq!(missing, None);
        }
    }
}
