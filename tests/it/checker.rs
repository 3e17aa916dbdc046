//! The checker's own tests: it accepts consistent runs, and finds every kind of violation.

use std::time::Duration;

use proptest::prelude::*;
use tidings::domain::{ClientId, ConversationId, UserId};
use uuid::Uuid;

use crate::support::{Entry, Event, History, MessageFingerprint, Run, Violation, check};

const CONVERSATIONS: u128 = 2;

fn conversation(number: u128) -> ConversationId {
    ConversationId(Uuid::from_u128(number + 1))
}

fn user(number: u128) -> UserId {
    UserId(Uuid::from_u128(number + 1))
}

/// A right run of two users in two conversations: each step one of them writes
/// in one of them; the answer is heard or not, the screens follow at once or later.
fn right(steps: &[(u128, u128, bool)]) -> Run {
    let follows: Vec<_> = (0..CONVERSATIONS).map(conversation).collect();
    let mut histories: Vec<_> = (0..2)
        .map(|number| History { user: user(number), follows: follows.clone(), events: vec![] })
        .collect();
    let mut log: Vec<Vec<Entry>> = vec![vec![]; follows.len()];
    let mut late: Vec<Entry> = Vec::new();
    for (number, (writer, place, prompt)) in steps.iter().enumerate() {
        let (at, writer, place) =
            (Duration::from_millis(number as u64 * 10), *writer as usize, *place as usize);
        let client_id = ClientId(Uuid::from_u128(number as u128 + 1));
        let message =
            MessageFingerprint::new(follows[place], user(writer as u128), client_id, &number.to_string());
        let entry = Entry { seq: log[place].len() as u64 + 1, message };
        log[place].push(entry);
        histories[writer].events.push((at, Event::Sent(message)));
        late.push(entry);
        if *prompt {
            histories[writer]
                .events
                .push((at + Duration::from_millis(5), Event::Stored(client_id, entry.seq)));
            show(&mut histories, &mut late, at + Duration::from_millis(5));
        }
    }
    show(&mut histories, &mut late, Duration::from_secs(1_000));
    let log: Vec<Entry> = log.concat();
    Run { histories, loaded: log.clone(), log }
}

fn show(histories: &mut [History], late: &mut Vec<Entry>, at: Duration) {
    for entry in late.drain(..) {
        for history in histories.iter_mut() {
            history.events.push((at, Event::Shown(entry)));
        }
    }
}

/// The first event of a history that fits.
fn find(history: &History, fits: impl Fn(&Event) -> bool) -> usize {
    history.events.iter().position(|(_, what)| fits(what)).expect("there is one")
}

/// Ten messages of user 0 in one conversation, all answered.
fn ten() -> Run {
    right(&[(0, 0, true); 10])
}

fn assert_finds(run: &Run, fits: impl Fn(&Violation) -> bool) {
    let found = check(run);
    assert!(found.iter().any(fits), "{found:?}");
}

#[test]
fn a_message_that_is_answered_and_not_kept_is_lost() {
    let mut run = ten();
    run.log.pop();
    run.loaded.pop();
    assert_finds(&run, |found| matches!(found, Violation::Lost(entry) if entry.seq == 10));
}

#[test]
fn a_message_in_two_places_is_doubled() {
    let mut run = ten();
    let again = Entry { seq: 11, message: run.log[3].message };
    run.log.push(again);
    assert_finds(&run, |found| matches!(found, Violation::Doubled(_)));
}

#[test]
fn a_message_shown_twice_is_doubled() {
    let mut run = ten();
    let shown = find(&run.histories[1], |what| matches!(what, Event::Shown(entry) if entry.seq == 5));
    let event = run.histories[1].events[shown];
    run.histories[1].events.insert(shown, event);
    assert_finds(&run, |found| matches!(found, Violation::Doubled(entry) if entry.seq == 5));
}

#[test]
fn what_nobody_sent_is_a_phantom() {
    let mut run = ten();
    let message = MessageFingerprint { body: 0, ..run.log[9].message };
    run.log[9].message = message;
    assert_finds(&run, |found| matches!(found, Violation::Phantom(_)));
}

#[test]
fn what_was_refused_and_is_kept_is_found() {
    let mut run = ten();
    let client_id = run.log[2].message.client_id;
    run.histories[0].events.push((Duration::from_secs(1), Event::Refused(client_id)));
    assert_finds(&run, |found| matches!(found, Violation::Refused(entry) if entry.seq == 3));
}

#[test]
fn a_resend_with_another_place_has_moved() {
    let mut run = ten();
    let client_id = run.log[2].message.client_id;
    run.histories[0].events.push((Duration::from_secs(1), Event::Stored(client_id, 4)));
    assert_finds(&run, |found| matches!(found, Violation::Moved(_, 4)));
}

#[test]
fn a_hole_is_found() {
    let mut run = ten();
    run.log.remove(4);
    assert_finds(&run, |found| matches!(found, Violation::Hole(_, 5)));
}

#[test]
fn another_order_than_that_of_writing_is_found() {
    let mut run = ten();
    let events = &mut run.histories[0].events;
    let (first, second) = (0, events.iter().rposition(|(_, what)| matches!(what, Event::Sent(_))).unwrap());
    let (one, other) = (events[first].1, events[second].1);
    (events[first].1, events[second].1) = (other, one);
    assert_finds(&run, |found| matches!(found, Violation::Reordered(_)));
}

#[test]
fn what_overtakes_something_that_was_stored_before_is_found() {
    let mut run = right(&[(0, 0, true), (1, 0, true)]);
    (run.log[0].message, run.log[1].message) = (run.log[1].message, run.log[0].message);
    assert_finds(&run, |found| matches!(found, Violation::Overtook(_)));
}

#[test]
fn a_gap_on_the_screen_and_a_message_never_shown_are_found() {
    let mut run = ten();
    let shown = find(&run.histories[1], |what| matches!(what, Event::Shown(entry) if entry.seq == 5));
    run.histories[1].events.remove(shown);
    assert_finds(&run, |found| matches!(found, Violation::Skipped(_, entry) if entry.seq == 6));
    let mut run = ten();
    run.histories[1].events.pop();
    assert_finds(&run, |found| matches!(found, Violation::Missed(_, entry) if entry.seq == 10));
}

#[test]
fn a_load_that_differs_from_the_log_is_found() {
    let mut run = ten();
    run.loaded.swap(3, 4);
    assert_finds(&run, |found| *found == Violation::LoadDiffers(3));
}

#[test]
fn a_conversation_that_was_taken_back_is_found() {
    let mut run = ten();
    run.histories[1].events.push((Duration::from_secs(1), Event::Undone(conversation(0))));
    assert_finds(&run, |found| matches!(found, Violation::Undone(..)));
}

fn steps() -> impl Strategy<Value = Vec<(u128, u128, bool)>> {
    prop::collection::vec((0..2u128, 0..CONVERSATIONS, any::<bool>()), 2..60)
}

proptest! {
    #[test]
    fn a_right_run_is_accepted(steps in steps()) {
        prop_assert_eq!(check(&right(&steps)), []);
    }

    /// Any one entry of the log gone, doubled, of another, or in the place of another.
    #[test]
    fn a_log_with_one_mistake_is_never_accepted(steps in steps(), at: prop::sample::Index, kind in 0..4) {
        let mut run = right(&steps);
        let at = at.index(run.log.len());
        match kind {
            0 => drop(run.log.remove(at)),
            1 => {
                let last = run.log.iter().filter(|entry| entry.message.conversation == run.log[at].message.conversation).count();
                let again = Entry { seq: last as u64 + 1, message: run.log[at].message };
                run.log.push(again);
                run.log.sort_by_key(|entry| (entry.message.conversation, entry.seq));
            }
            2 => run.log[at].message.body ^= 1,
            _ => run.log[at].message.client_id = ClientId(Uuid::from_u128(u128::MAX)),
        }
        // What a client loads is as wrong as the log.
        run.loaded = run.log.clone();
        prop_assert_ne!(check(&run), []);
    }

    /// Any one event of a client gone, but the answer, which may be lost.
    #[test]
    fn a_screen_with_one_mistake_is_never_accepted(steps in steps(), who in 0..2usize, at: prop::sample::Index, doubled: bool) {
        let mut run = right(&steps);
        let events = &mut run.histories[who].events;
        let shown: Vec<usize> = (0..events.len()).filter(|index| matches!(events[*index].1, Event::Shown(_))).collect();
        let at = shown[at.index(shown.len())];
        if doubled {
            let event = events[at];
            events.push(event);
        } else {
            events.remove(at);
        }
        prop_assert_ne!(check(&run), []);
    }
}
