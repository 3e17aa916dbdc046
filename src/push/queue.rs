use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::time::{Duration, Instant};

use super::notice::Notice;
use crate::domain::{ConversationId, Seq, UserId};

/// Who missed something, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place {
    pub user: UserId,
    pub conversation: ConversationId,
}

/// Notices that wait until they are due: one a place, the newest, whatever is
/// written there. While one is being sent, the next of its place waits for it.
pub struct Queue {
    /// Notices at the most, waiting and being sent.
    bound: usize,
    interval: Duration,
    waiting: HashMap<Place, Waiting>,
    /// Those of `waiting` whose place is not in `sending`.
    order: BTreeSet<(Instant, Place)>,
    sending: HashSet<Place>,
}

struct Waiting {
    notice: Notice,
    due: Instant,
}

/// What became of a notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offered {
    /// It waits, perhaps in the stead of an older one.
    Taken,
    /// It waits, and none is due before it.
    TakenFirst,
    /// There is one that is as new.
    Old,
    /// There is no place.
    Full,
}

impl Queue {
    pub fn new(bound: usize, interval: Duration) -> Self {
        let (waiting, order, sending) = (HashMap::new(), BTreeSet::new(), HashSet::new());
        Self { bound, interval, waiting, order, sending }
    }

    /// Takes what is newer than what it has of that place; `make` is asked only
    /// then. It is due when the interval since the oldest that it stands for is over.
    pub fn offer(&mut self, place: Place, seq: Seq, now: Instant, make: impl FnOnce() -> Notice) -> Offered {
        let is_full = self.len() >= self.bound;
        let due = now + self.interval;
        match self.waiting.entry(place) {
            Entry::Occupied(kept) if kept.get().notice.seq >= seq => return Offered::Old,
            Entry::Occupied(mut kept) => {
                kept.get_mut().notice = make();
                return Offered::Taken;
            }
            Entry::Vacant(_) if is_full => return Offered::Full,
            Entry::Vacant(vacant) => drop(vacant.insert(Waiting { notice: make(), due })),
        }
        if !self.sending.contains(&place) {
            self.order.insert((due, place));
        }
        if self.order.first() == Some(&(due, place)) { Offered::TakenFirst } else { Offered::Taken }
    }

    /// Up to `max` notices that are due. Each counts as being sent until it is
    /// [released](Self::release) or [put back](Self::put_back).
    pub fn take_due(&mut self, now: Instant, max: usize) -> Vec<(Place, Notice)> {
        let mut due = Vec::new();
        while due.len() < max && self.next_due().is_some_and(|at| at <= now) {
            let Some((_, place)) = self.order.pop_first() else { break };
            if let Some(waiting) = self.waiting.remove(&place) {
                self.sending.insert(place);
                due.push((place, waiting.notice));
            }
        }
        due
    }

    /// When the next one is due.
    pub fn next_due(&self) -> Option<Instant> {
        self.order.first().map(|(at, _)| *at)
    }

    /// Whether a notice of this place waits.
    pub fn has(&self, place: Place) -> bool {
        self.waiting.contains_key(&place)
    }

    /// What was taken has been sent, or will not be. True when the next notice
    /// of its place has been waiting for that.
    pub fn release(&mut self, place: Place) -> bool {
        if !self.sending.remove(&place) {
            return false;
        }
        let next = self.waiting.get(&place).map(|waiting| (waiting.due, place));
        self.order.extend(next);
        next.is_some()
    }

    /// What was taken waits for another interval, unless a newer one does.
    pub fn put_back(&mut self, place: Place, notice: Notice, now: Instant) {
        self.release(place);
        self.offer(place, notice.seq, now, || notice);
    }

    /// Notices, waiting and being sent.
    pub fn len(&self) -> usize {
        self.waiting.len() + self.sending.len()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::protocol::Message;

    const INTERVAL: Duration = Duration::from_secs(3);

    fn place() -> Place {
        Place { user: UserId::fresh(), conversation: ConversationId::fresh() }
    }

    fn notice(seq: Seq) -> Notice {
        let client_id = crate::domain::ClientId(uuid::Uuid::now_v7());
        let (conversation, sender) = (ConversationId::fresh(), UserId::fresh());
        Notice::of(&Message { conversation, seq, sender, client_id, at: "".into(), body: "x".into() })
    }

    fn seqs(due: Vec<(Place, Notice)>) -> Vec<Seq> {
        due.into_iter().map(|(_, notice)| notice.seq).collect()
    }

    #[test]
    fn a_thousand_messages_are_one_push_an_interval_and_the_newest() {
        let (mut queue, place, start) = (Queue::new(10, INTERVAL), place(), Instant::now());
        let mut sent = Vec::new();
        for number in 0..1_000 {
            let now = start + Duration::from_millis(number * 10);
            queue.offer(place, number + 1, now, || notice(number + 1));
            sent.extend(seqs(queue.take_due(now, 10)));
            queue.release(place);
            assert!(queue.len() <= 1);
        }
        assert_eq!(sent, [301, 602, 903]);
        assert_eq!(seqs(queue.take_due(start + Duration::from_secs(60), 10)), [1_000]);
    }

    #[test]
    fn what_is_older_is_not_taken_and_not_made() {
        let (mut queue, place, now) = (Queue::new(10, INTERVAL), place(), Instant::now());
        assert_eq!(queue.offer(place, 7, now, || notice(7)), Offered::TakenFirst);
        assert_eq!(queue.offer(place, 7, now, || unreachable!()), Offered::Old);
        assert_eq!(queue.offer(place, 6, now, || unreachable!()), Offered::Old);
        assert_eq!(queue.offer(place, 8, now, || notice(8)), Offered::Taken);
        assert_eq!(seqs(queue.take_due(now + INTERVAL, 10)), [8]);
    }

    #[test]
    fn the_next_waits_for_the_one_that_is_sent_and_for_its_interval() {
        let (mut queue, place, start) = (Queue::new(10, INTERVAL), place(), Instant::now());
        queue.offer(place, 1, start, || notice(1));
        assert_eq!(seqs(queue.take_due(start + INTERVAL, 10)), [1]);
        queue.offer(place, 2, start + INTERVAL, || notice(2));
        assert!(queue.take_due(start + INTERVAL * 9, 10).is_empty(), "the first is not done");
        assert!(queue.has(place) && queue.release(place));
        assert!(queue.take_due(start + INTERVAL, 10).is_empty(), "not an interval later");
        assert_eq!(seqs(queue.take_due(start + INTERVAL * 2, 10)), [2]);
        assert!(!queue.release(place));
    }

    #[test]
    fn a_full_queue_takes_no_more_places_but_newer_messages() {
        let (mut queue, places, now) = (Queue::new(2, INTERVAL), [place(), place(), place()], Instant::now());
        queue.offer(places[0], 1, now, || notice(1));
        queue.offer(places[1], 1, now, || notice(1));
        assert_eq!(queue.offer(places[2], 1, now, || unreachable!()), Offered::Full);
        assert_eq!(queue.offer(places[1], 2, now, || notice(2)), Offered::Taken);
        queue.take_due(now + INTERVAL, 1);
        assert_eq!(queue.offer(places[2], 1, now, || unreachable!()), Offered::Full, "one is being sent");
    }

    #[test]
    fn what_is_put_back_gives_way_to_what_is_newer() {
        let (mut queue, place, start) = (Queue::new(10, INTERVAL), place(), Instant::now());
        queue.offer(place, 1, start, || notice(1));
        let (_, first) = queue.take_due(start + INTERVAL, 1).remove(0);
        queue.put_back(place, first.clone(), start + INTERVAL);
        assert_eq!(seqs(queue.take_due(start + INTERVAL * 2, 1)), [1]);
        queue.offer(place, 2, start + INTERVAL * 2, || notice(2));
        queue.put_back(place, first, start + INTERVAL * 2);
        assert_eq!(seqs(queue.take_due(start + INTERVAL * 3, 1)), [2]);
    }

    proptest! {
        /// Whatever happens: within the bound, never two of a place at once, none
        /// sooner than an interval after the one before, none lost but to a newer one.
        #[test]
        fn the_newest_of_each_place_comes_out_in_time(
            steps in prop::collection::vec((0..4_u8, 0..3_usize, 0..2_000_u64), 1..200),
        ) {
            let places = [place(), place(), place()];
            let (mut queue, mut now) = (Queue::new(5, INTERVAL), Instant::now());
            let (mut seq, mut newest, mut taken_at) = (0, [0; 3], [None::<Instant>; 3]);
            let mut sending: Vec<(Place, Notice)> = Vec::new();
            for (step, index, millis) in steps {
                now += Duration::from_millis(millis);
                match step {
                    0 | 1 => {
                        seq += 1;
                        if queue.offer(places[index], seq, now, || notice(seq)) != Offered::Full {
                            newest[index] = seq;
                        }
                    }
                    2 => for (place, notice) in queue.take_due(now, 2) {
                        let index = places.iter().position(|other| *other == place).unwrap();
                        prop_assert!(sending.iter().all(|(other, _)| *other != place));
                        prop_assert_eq!(notice.seq, newest[index]);
                        let before = taken_at[index].replace(now);
                        prop_assert!(before.is_none_or(|before| now >= before + INTERVAL));
                        sending.push((place, notice));
                    },
                    _ => if let Some((place, _)) = sending.pop() {
                        queue.release(place);
                    },
                }
                prop_assert!(queue.len() <= 5);
            }
            for (place, _) in sending.drain(..) {
                queue.release(place);
            }
            let rest = queue.take_due(now + INTERVAL, 9).len() + queue.take_due(now + INTERVAL, 9).len();
            prop_assert!(rest <= 3 && queue.next_due().is_none());
        }
    }
}
