//! The pure core against a model of the database that fails in every way.

mod model;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::batch::{self, Batch};
use super::buffer::{Buffer, Next, Work};
use super::receipts::PendingReceipts;
use crate::bus::{EventDelivery, LocalResult, Recipients};
use crate::database::{Position, PositionChange};
use crate::domain::{DirectPair, Members, Seq, Visibility};
use crate::protocol::Code;
use crate::registry::{ReceiptUpdate, UserDelivery};
use model::{BOUNDS, Luck, POISON, World, conversation, send_request, text_of, user};

fn luck() -> impl Strategy<Value = Luck> {
    prop_oneof![
        4 => Just(Luck::Good),
        1 => Just(Luck::Conflict),
        1 => Just(Luck::Away),
        1 => Just(Luck::Unknown),
        1 => Just(Luck::Refusing),
    ]
}

#[derive(Clone, Debug)]
enum Act {
    Submit { sender: u8, client_id: u8, talk: u8, body: &'static str },
    Reach { user: u8, talk: u8, delivered: Seq, read: Seq },
    Step(Luck),
}

fn act() -> impl Strategy<Value = Act> {
    let body = prop_oneof![8 => Just("one"), 1 => Just("two"), 1 => Just(POISON)];
    prop_oneof![
        3 => (0..3u8, 0..20u8, 0..3u8, body)
            .prop_map(|(sender, client_id, talk, body)| Act::Submit { sender, client_id, talk, body }),
        1 => (0..3u8, 0..3u8, 0..9u64, 0..9u64)
            .prop_map(|(user, talk, delivered, read)| Act::Reach { user, talk, delivered, read }),
        2 => luck().prop_map(Act::Step),
    ]
}

proptest! {
    /// Whatever fails: every request is answered once, rightly.
    #[test]
    fn every_request_is_answered_once(acts in proptest::collection::vec(act(), 1..200)) {
        let mut world = World::new();
        let mut submitted = BTreeMap::new();
        for (number, act) in acts.into_iter().enumerate() {
            let number = number as u64;
            match act {
                Act::Submit { sender, client_id, talk, body } => {
                    let queued = send_request(sender, client_id, talk, body, number);
                    submitted.insert(number, queued.request.clone());
                    world.buffer.push(queued);
                }
                Act::Reach { user: member, talk, delivered, read } => {
                    let (user, conversation) = (user(member), conversation(talk));
                    world.receipts.update(ReceiptUpdate { user, conversation, delivered, read });
                }
                Act::Step(luck) => drop(world.step(luck)),
            }
            world.buffer.check_invariants();
        }
        world.finish();
        prop_assert!(world.answers.keys().eq(submitted.keys()));
        for (number, answers) in &world.answers {
            let [answer] = answers[..] else { panic!("{number} was answered {} times", answers.len()) };
            let asked = &submitted[number];
            let stored = world.store.events.get(&(asked.conversation, asked.sender, asked.client_id));
            let same = stored.filter(|(operation, _)| *operation == asked.operation);
            match answer {
                Ok((seq, _)) => prop_assert_eq!(same.map(|stored| stored.1), Some(seq)),
                Err(Code::IdReused) => prop_assert!(stored.is_some() && same.is_none()),
                Err(Code::NotFound) => prop_assert_eq!((asked.sender, asked.conversation), (user(0), conversation(2))),
                Err(Code::Internal) => prop_assert_eq!(text_of(&asked.operation), POISON),
                Err(code) => prop_assert_eq!(code, Code::StorageUnavailable),
            }
        }
    }

    /// Without refusals, what a user wrote stands in the order written.
    #[test]
    fn a_users_messages_keep_their_order(
        talks in proptest::collection::vec((0..3u8, 0..2u8), 1..100),
        lucks in proptest::collection::vec(luck(), 0..100),
    ) {
        let mut world = World::new();
        let mut lucks = lucks.into_iter().filter(|luck| *luck != Luck::Refusing);
        let mut written: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for (number, (sender, talk)) in talks.into_iter().enumerate() {
            let queued = send_request(sender, number as u8, talk, "x", number as u64);
            let name = (queued.request.sender, queued.request.client_id);
            written.entry((name.0, queued.request.conversation)).or_default().push(name);
            world.buffer.push(queued);
            if let Some(luck) = lucks.next() {
                world.step(luck);
            }
        }
        world.finish();
        for ((sender, talk), names) in written {
            let mut log = world.store.logs[&talk].clone();
            log.retain(|name| name.0 == sender);
            prop_assert_eq!(log, names);
        }
    }
}

#[test]
fn a_batch_is_what_arrived_while_the_last_one_ran() {
    let (mut buffer, now) = (Buffer::new(BOUNDS, PendingReceipts::new(8)), Instant::now());
    buffer.push(send_request(0, 0, 0, "x", 0));
    let Next::Work(Work::Messages(first)) = buffer.next(now) else { panic!("one is enough") };
    for number in 1..6 {
        buffer.push(send_request(0, number, 0, "x", number.into()));
        assert!(matches!(buffer.next(now), Next::Nothing), "one commit at a time");
    }
    buffer.messages_committed();
    let Next::Work(Work::Messages(second)) = buffer.next(now) else { panic!("the rest is due") };
    assert_eq!((first.len(), second.len()), (1, BOUNDS.batch));
}

#[test]
fn positions_wait_their_interval_and_never_hold_up_messages() {
    let (receipts, now) = (PendingReceipts::new(8), Instant::now());
    let mut buffer = Buffer::new(BOUNDS, receipts.clone());
    let reach = |seq| ReceiptUpdate { user: user(1), conversation: conversation(1), delivered: seq, read: 0 };
    receipts.update(reach(1));
    assert!(matches!(buffer.next(now), Next::Work(Work::Positions(_))), "the first goes at once");
    buffer.positions_committed();
    receipts.update(reach(2));
    let Next::At(due) = buffer.next(now) else { panic!("the second waits") };
    assert_eq!(due, now + BOUNDS.positions_interval);
    buffer.push(send_request(0, 0, 0, "x", 0));
    assert!(matches!(buffer.next(now), Next::Work(Work::Messages(_))));
    buffer.messages_committed();
    assert!(matches!(buffer.next(due), Next::Work(Work::Positions(_))));
    assert!(!buffer.is_idle());
    buffer.positions_committed();
    receipts.update(reach(3));
    buffer.drain();
    assert!(matches!(buffer.next(due), Next::Work(Work::Positions(_))), "not when the server stops");
}

#[test]
fn f11_sends_are_refused_when_storage_refuses_for_long_and_wait_when_it_is_away() {
    for (luck, refused) in [(Luck::Refusing, true), (Luck::Away, false)] {
        let mut world = World::new();
        for number in 0..6 {
            world.buffer.push(send_request(0, number, 0, "x", number.into()));
        }
        let begun = world.now;
        while world.answers.is_empty() && world.now < begun + Duration::from_secs(600) {
            world.step(luck);
        }
        assert_eq!(!world.answers.is_empty(), refused, "{luck:?}");
        if refused {
            assert!(world.answers.values().all(|answers| answers[..] == [Err(Code::StorageUnavailable)]));
            assert_eq!(world.answers.len(), 6);
            assert!(world.now < begun + Duration::from_secs(5));
        }
        world.finish();
    }
}

#[test]
fn the_bad_row_stands_alone_in_a_logarithm_of_statements() {
    let mut world = World::new();
    for number in 0..4 {
        let body = if number == 2 { POISON } else { "x" };
        world.buffer.push(send_request(0, number, 0, body, number.into()));
    }
    let mut statements = 0;
    while world.step(Luck::Good) {
        statements += 1;
    }
    assert_eq!(statements, 5, "4 fail, 2 pass, 2 fail, 1 is refused, 1 passes");
    assert_eq!(world.answers[&2], [Err(Code::Internal)]);
    assert_eq!(world.store.events.len(), 3);
}

#[test]
fn events_and_results_are_published_in_the_order_of_the_log() {
    let mut world = World::new();
    let known = send_request(1, 9, 0, "known", 0);
    world.buffer.push(known);
    world.finish();
    let mut batch = Batch::default();
    for queued in [
        send_request(0, 0, 0, "a", 1),
        send_request(1, 9, 0, "known", 2),
        send_request(0, 1, 0, "b", 3),
        send_request(0, 0, 0, "a", 4),
    ] {
        assert!(batch.add(queued).is_ok());
    }
    assert!(batch.add(send_request(0, 1, 0, "not b", 5)).is_err());
    let appended = world.store.append(&batch, Luck::Good).unwrap();
    let (events, results) = batch.publish(&appended);
    let to = Recipients::Group(conversation(0));
    assert!(events.iter().all(|event| event.to == to));
    let published = |event: &EventDelivery| (event.stored.event.seq, event.stored.duplicate);
    assert_eq!(events.iter().map(published).collect::<Vec<_>>(), [(1, true), (2, false), (3, false)]);
    let answered = |LocalResult { user, after, result }: &LocalResult| {
        let UserDelivery::SendResult(answer) = result else { panic!("{result:?}") };
        let stored = answer.outcome.as_ref().unwrap();
        (*user, *after, stored.event.seq, stored.duplicate)
    };
    let (ada, bob) = (user(0), user(1));
    assert_eq!(
        results.iter().map(answered).collect::<Vec<_>>(),
        [(bob, 1, 1, true), (ada, 2, 2, false), (ada, 3, 3, false), (ada, 3, 2, true)]
    );
}

#[test]
fn a_position_is_shown_to_others_and_counted_for_oneself() {
    let position = Position { conversation: conversation(0), user: user(0), delivered: 7, read: 5 };
    let pair = DirectPair::new(user(0), user(1));
    let changes = |unread| PositionChange::Advanced {
        position,
        unread,
        visibility: Visibility::from_version(1),
        members: Members::Direct(pair),
    };
    let published = |unread, is_hidden: bool| -> Vec<(Recipients, Option<u32>)> {
        let hide = |member, choice| {
            assert_eq!((member, choice), (user(0), Visibility::from_version(1)));
            is_hidden
        };
        let (receipts, results) = batch::publish_positions(&[changes(unread)], hide);
        assert!(results.is_empty());
        receipts.into_iter().map(|delivery| (delivery.to, delivery.receipt.unread)).collect()
    };
    let own = (Recipients::User(user(0)), Some(3));
    let others = (Recipients::Direct(pair), None);
    assert_eq!(published(Some(3), false), [own, others]);
    assert_eq!(published(None, false), [others]);
    assert_eq!(published(Some(3), true), [own]);
    assert_eq!(published(None, true), []);
}

#[test]
fn who_reads_in_many_conversations_of_others_is_told_of_some() {
    let changes: Vec<PositionChange> = (0..100)
        .map(|talk| PositionChange::NoSuchConversation {
            user: user(talk % 2),
            conversation: conversation(talk),
        })
        .collect();
    let (receipts, results) = batch::publish_positions(&changes, |_, _| false);
    let count = |member| results.iter().filter(|result| result.user == user(member)).count();
    assert_eq!((receipts.len(), count(0), count(1)), (0, 8, 8));
}
