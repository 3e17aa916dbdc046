use proptest::prelude::*;

use super::*;
use crate::domain::{ClientId, MessageText, UserId};

const AT: OffsetDateTime = OffsetDateTime::UNIX_EPOCH;

fn says() -> Operation {
    Operation::Message(MessageText::parse("x", 1).unwrap())
}

fn locked(id: ConversationId, last_message_seq: i64, last_change_seq: i64) -> ConversationRow {
    ConversationRow { id: id.0, last_message_seq, last_change_seq, at: AT, pair: PairRow::default() }
}

fn event(conversation: ConversationId, operation: &Operation) -> NewEvent<'_> {
    NewEvent { sender: UserId::fresh(), client_id: ClientId(Uuid::now_v7()), conversation, operation }
}

fn by_member() -> Found {
    Found { is_member: true, ..Found::default() }
}

fn new(seq: Seq) -> AppendOutcome {
    AppendOutcome::Stored { seq, at: AT, duplicate: false }
}

/// Decides about operations in one conversation, each found so.
fn decide_in(end: (i64, i64), asked: &[(Operation, Found)]) -> (Decision, ConversationId) {
    let id = ConversationId::fresh();
    let events: Vec<_> = asked.iter().map(|(operation, _)| event(id, operation)).collect();
    let found: Vec<_> = asked.iter().map(|(_, found)| found.clone()).collect();
    (decide(&events, &found, &[locked(id, end.0, end.1)]), id)
}

#[test]
fn messages_and_changes_share_the_numbers() {
    let pin = Operation::Pin { target: 3, on: true };
    let found = Found { target_is_message: true, ..by_member() };
    let asked = [(says(), by_member()), (pin, found), (says(), by_member())];
    let (decision, id) = decide_in((4, 0), &asked);
    assert_eq!(decision.outcomes, [new(5), new(6), new(7)]);
    assert_eq!(decision.grown, [(id, LogEnd { last_message_seq: 7, last_change_seq: 6 })].into());
    assert_eq!(decision.pins, [((id, 3), Some(6))].into());
}

#[test]
fn the_last_message_stays_where_only_changes_follow() {
    let found = Found { target_is_message: true, pins: [2].into(), ..by_member() };
    let (decision, id) = decide_in((3, 4), &[(Operation::Pin { target: 2, on: false }, found)]);
    assert_eq!(decision.grown, [(id, LogEnd { last_message_seq: 3, last_change_seq: 5 })].into());
    assert_eq!(decision.pins, [((id, 2), None)].into());
}

#[test]
fn a_message_of_the_same_batch_can_be_pinned_and_nothing_else_can() {
    let pin = |target| (Operation::Pin { target, on: true }, by_member());
    let (decision, _) = decide_in((0, 0), &[pin(1), (says(), by_member()), pin(1), pin(2)]);
    assert_eq!(
        decision.outcomes,
        [AppendOutcome::NoSuchMessage, new(1), new(2), AppendOutcome::NoSuchMessage]
    );
}

#[test]
fn what_is_stored_or_nobodys_gets_no_number() {
    let stored = |is_same| Found { stored: Some(StoredBefore { seq: 2, at: AT, is_same }), ..by_member() };
    let asked = [(says(), stored(true)), (says(), stored(false)), (says(), Found::default())];
    let (decision, _) = decide_in((4, 2), &asked);
    let duplicate = AppendOutcome::Stored { seq: 2, at: AT, duplicate: true };
    assert_eq!(decision.outcomes, [duplicate, AppendOutcome::IdReused, AppendOutcome::NoSuchConversation]);
    assert_eq!((decision.grown.len(), decision.pins.len()), (0, 0));
}

#[test]
fn a_conversation_that_there_is_not_takes_nothing() {
    let operation = says();
    let decision = decide(&[event(ConversationId::fresh(), &operation)], &[by_member()], &[]);
    assert_eq!(decision.outcomes, [AppendOutcome::NoSuchConversation]);
}

#[test]
fn there_are_no_more_pins_than_the_maximum() {
    let pins: HashSet<Seq> = (1..PINS_MAX as Seq).collect();
    let pin = |target, on| {
        let found = Found { target_is_message: true, pins: pins.clone(), ..by_member() };
        (Operation::Pin { target, on }, found)
    };
    let asked = [pin(60, true), pin(61, true), pin(60, true), pin(1, false), pin(61, true)];
    let (decision, id) = decide_in((70, 50), &asked);
    assert_eq!(
        decision.outcomes,
        [new(71), AppendOutcome::TooManyPins, new(72), new(73), new(74)],
        "the one that is pinned already is stored, and pinned by the first"
    );
    assert_eq!(decision.pins, [((id, 60), Some(71)), ((id, 1), None), ((id, 61), Some(74))].into());
}

proptest! {
    /// Whatever is asked of several conversations: the numbers of each are dense, and what
    /// is kept of the pins is what follows from the events, one after the other.
    #[test]
    fn numbers_are_dense_and_pins_follow_from_the_events(
        asked in prop::collection::vec((0..2_usize, 0..4_u8, 1..6_u64), 1..60),
    ) {
        let ids = [(); 2].map(|()| ConversationId::fresh());
        let before: HashSet<Seq> = [1, 2].into();
        let operations: Vec<_> = asked
            .iter()
            .map(|(_, kind, target)| match kind {
                0 | 1 => says(),
                2 => Operation::Pin { target: *target, on: true },
                _ => Operation::Pin { target: *target, on: false },
            })
            .collect();
        let events: Vec<_> =
            asked.iter().zip(&operations).map(|((at, ..), operation)| event(ids[*at], operation)).collect();
        let found: Vec<_> = asked
            .iter()
            .map(|(_, _, target)| Found {
                target_is_message: *target <= 3,
                pins: before.clone(),
                ..by_member()
            })
            .collect();
        let decision = decide(&events, &found, &ids.map(|id| locked(id, 3, 0)));
        for id in ids {
            let (mut next, mut pinned) = (4, before.clone());
            for (event, outcome) in events.iter().zip(&decision.outcomes) {
                let AppendOutcome::Stored { seq, .. } = outcome else { continue };
                if event.conversation != id {
                    continue;
                }
                prop_assert_eq!(*seq, next);
                next += 1;
                match event.operation {
                    Operation::Pin { target, on: true } => drop(pinned.insert(*target)),
                    Operation::Pin { target, on: false } => drop(pinned.remove(target)),
                    Operation::Message(_) => {}
                }
            }
            let mut kept = before.clone();
            for ((conversation, target), change) in &decision.pins {
                if *conversation == id {
                    match change {
                        Some(_) => kept.insert(*target),
                        None => kept.remove(target),
                    };
                }
            }
            prop_assert_eq!(kept, pinned);
            prop_assert_eq!(decision.grown.get(&id).map_or(4, LogEnd::next_seq), next);
        }
    }
}
