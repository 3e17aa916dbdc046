use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::time::{Duration, Instant};

use super::notification::{Notification, NotificationKey};
use crate::domain::Seq;

/// Notifications that wait until they are due: one for each key, the newest. While one
/// is being sent, the next with its key waits for it.
pub struct Queue {
    /// The maximum number of notifications, waiting and being sent.
    bound: usize,
    interval: Duration,
    waiting: HashMap<NotificationKey, QueuedNotification>,
    /// Those of `waiting` whose key is not in `sending`.
    order: BTreeSet<(Instant, NotificationKey)>,
    sending: HashSet<NotificationKey>,
}

struct QueuedNotification {
    notification: Notification,
    due: Instant,
}

/// The result of offering a notification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OfferOutcome {
    /// It waits, perhaps instead of an older one.
    Queued,
    /// It waits, and none is due before it.
    QueuedFirst,
    /// There is one that is at least as new.
    Outdated,
    /// The queue is full.
    Full,
}

impl Queue {
    pub fn new(bound: usize, interval: Duration) -> Self {
        let (waiting, order, sending) = (HashMap::new(), BTreeSet::new(), HashSet::new());
        Self { bound, interval, waiting, order, sending }
    }

    /// Queues a notification if it is newer than the one with its key; `make` is called
    /// only then. It is due one interval after the oldest notification that it replaces.
    pub fn offer(
        &mut self,
        key: NotificationKey,
        seq: Seq,
        now: Instant,
        make: impl FnOnce() -> Notification,
    ) -> OfferOutcome {
        let is_full = self.len() >= self.bound;
        let due = now + self.interval;
        match self.waiting.entry(key) {
            Entry::Occupied(kept) if kept.get().notification.seq >= seq => return OfferOutcome::Outdated,
            Entry::Occupied(mut kept) => {
                kept.get_mut().notification = make();
                return OfferOutcome::Queued;
            }
            Entry::Vacant(_) if is_full => return OfferOutcome::Full,
            Entry::Vacant(vacant) => drop(vacant.insert(QueuedNotification { notification: make(), due })),
        }
        if !self.sending.contains(&key) {
            self.order.insert((due, key));
        }
        if self.order.first() == Some(&(due, key)) { OfferOutcome::QueuedFirst } else { OfferOutcome::Queued }
    }

    /// Takes up to `max` notifications that are due. Each counts as being sent until it is
    /// [released](Self::release) or [requeued](Self::requeue).
    pub fn take_due(&mut self, now: Instant, max: usize) -> Vec<(NotificationKey, Notification)> {
        let mut due = Vec::new();
        while due.len() < max && self.next_due().is_some_and(|at| at <= now) {
            let Some((_, key)) = self.order.pop_first() else { break };
            if let Some(waiting) = self.waiting.remove(&key) {
                self.sending.insert(key);
                due.push((key, waiting.notification));
            }
        }
        due
    }

    /// When the next one is due.
    pub fn next_due(&self) -> Option<Instant> {
        self.order.first().map(|(at, _)| *at)
    }

    /// Whether a notification with this key waits.
    pub fn has(&self, key: NotificationKey) -> bool {
        self.waiting.contains_key(&key)
    }

    /// A taken notification has been sent, or will not be. Returns `true` if the next one
    /// with its key has been waiting for that.
    pub fn release(&mut self, key: NotificationKey) -> bool {
        if !self.sending.remove(&key) {
            return false;
        }
        let next = self.waiting.get(&key).map(|waiting| (waiting.due, key));
        self.order.extend(next);
        next.is_some()
    }

    /// Puts a taken notification back for another interval, unless a newer one waits.
    pub fn requeue(&mut self, key: NotificationKey, notification: Notification, now: Instant) {
        self.release(key);
        self.offer(key, notification.seq, now, || notification);
    }

    /// How many notifications are waiting or being sent.
    pub fn len(&self) -> usize {
        self.waiting.len() + self.sending.len()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::{ConversationId, UserId};
    use crate::protocol::{Content, Event};

    const INTERVAL: Duration = Duration::from_secs(3);

    fn key() -> NotificationKey {
        NotificationKey { user: UserId::fresh(), conversation: ConversationId::fresh() }
    }

    fn notification(seq: Seq) -> Notification {
        let client_id = crate::domain::ClientId(uuid::Uuid::now_v7());
        let (conversation, sender) = (ConversationId::fresh(), UserId::fresh());
        let content = Content::message("x");
        Notification::of(&Event { conversation, seq, sender, client_id, at: "".into(), content })
    }

    fn seqs(due: Vec<(NotificationKey, Notification)>) -> Vec<Seq> {
        due.into_iter().map(|(_, notification)| notification.seq).collect()
    }

    #[test]
    fn a_thousand_messages_are_one_push_an_interval_and_the_newest() {
        let (mut queue, key, start) = (Queue::new(10, INTERVAL), key(), Instant::now());
        let mut sent = Vec::new();
        for number in 0..1_000 {
            let now = start + Duration::from_millis(number * 10);
            queue.offer(key, number + 1, now, || notification(number + 1));
            sent.extend(seqs(queue.take_due(now, 10)));
            queue.release(key);
            assert!(queue.len() <= 1);
        }
        assert_eq!(sent, [301, 602, 903]);
        assert_eq!(seqs(queue.take_due(start + Duration::from_secs(60), 10)), [1_000]);
    }

    #[test]
    fn what_is_older_is_not_taken_and_not_made() {
        let (mut queue, key, now) = (Queue::new(10, INTERVAL), key(), Instant::now());
        assert_eq!(queue.offer(key, 7, now, || notification(7)), OfferOutcome::QueuedFirst);
        assert_eq!(queue.offer(key, 7, now, || unreachable!()), OfferOutcome::Outdated);
        assert_eq!(queue.offer(key, 6, now, || unreachable!()), OfferOutcome::Outdated);
        assert_eq!(queue.offer(key, 8, now, || notification(8)), OfferOutcome::Queued);
        assert_eq!(seqs(queue.take_due(now + INTERVAL, 10)), [8]);
    }

    #[test]
    fn the_next_waits_for_the_one_that_is_sent_and_for_its_interval() {
        let (mut queue, key, start) = (Queue::new(10, INTERVAL), key(), Instant::now());
        queue.offer(key, 1, start, || notification(1));
        assert_eq!(seqs(queue.take_due(start + INTERVAL, 10)), [1]);
        queue.offer(key, 2, start + INTERVAL, || notification(2));
        assert!(queue.take_due(start + INTERVAL * 9, 10).is_empty(), "the first is not done");
        assert!(queue.has(key) && queue.release(key));
        assert!(queue.take_due(start + INTERVAL, 10).is_empty(), "not an interval later");
        assert_eq!(seqs(queue.take_due(start + INTERVAL * 2, 10)), [2]);
        assert!(!queue.release(key));
    }

    #[test]
    fn a_full_queue_takes_no_more_places_but_newer_messages() {
        let (mut queue, keys, now) = (Queue::new(2, INTERVAL), [key(), key(), key()], Instant::now());
        queue.offer(keys[0], 1, now, || notification(1));
        queue.offer(keys[1], 1, now, || notification(1));
        assert_eq!(queue.offer(keys[2], 1, now, || unreachable!()), OfferOutcome::Full);
        assert_eq!(queue.offer(keys[1], 2, now, || notification(2)), OfferOutcome::Queued);
        queue.take_due(now + INTERVAL, 1);
        assert_eq!(queue.offer(keys[2], 1, now, || unreachable!()), OfferOutcome::Full, "one is being sent");
    }

    #[test]
    fn what_is_requeue_gives_way_to_what_is_newer() {
        let (mut queue, key, start) = (Queue::new(10, INTERVAL), key(), Instant::now());
        queue.offer(key, 1, start, || notification(1));
        let (_, first) = queue.take_due(start + INTERVAL, 1).remove(0);
        queue.requeue(key, first.clone(), start + INTERVAL);
        assert_eq!(seqs(queue.take_due(start + INTERVAL * 2, 1)), [1]);
        queue.offer(key, 2, start + INTERVAL * 2, || notification(2));
        queue.requeue(key, first, start + INTERVAL * 2);
        assert_eq!(seqs(queue.take_due(start + INTERVAL * 3, 1)), [2]);
    }

    proptest! {
        /// Whatever happens: within the bound, never two of a place at once, none
        /// sooner than an interval after the one before, none lost but to a newer one.
        #[test]
        fn the_newest_of_each_place_comes_out_in_time(
            steps in prop::collection::vec((0..4_u8, 0..3_usize, 0..2_000_u64), 1..200),
        ) {
            let keys = [key(), key(), key()];
            let (mut queue, mut now) = (Queue::new(5, INTERVAL), Instant::now());
            let (mut seq, mut newest, mut taken_at) = (0, [0; 3], [None::<Instant>; 3]);
            let mut sending: Vec<(NotificationKey, Notification)> = Vec::new();
            for (step, index, millis) in steps {
                now += Duration::from_millis(millis);
                match step {
                    0 | 1 => {
                        seq += 1;
                        if queue.offer(keys[index], seq, now, || notification(seq)) != OfferOutcome::Full {
                            newest[index] = seq;
                        }
                    }
                    2 => for (key, notification) in queue.take_due(now, 2) {
                        let index = keys.iter().position(|other| *other == key).unwrap();
                        prop_assert!(sending.iter().all(|(other, _)| *other != key));
                        prop_assert_eq!(notification.seq, newest[index]);
                        let before = taken_at[index].replace(now);
                        prop_assert!(before.is_none_or(|before| now >= before + INTERVAL));
                        sending.push((key, notification));
                    },
                    _ => if let Some((key, _)) = sending.pop() {
                        queue.release(key);
                    },
                }
                prop_assert!(queue.len() <= 5);
            }
            for (key, _) in sending.drain(..) {
                queue.release(key);
            }
            let rest = queue.take_due(now + INTERVAL, 9).len() + queue.take_due(now + INTERVAL, 9).len();
            prop_assert!(rest <= 3 && queue.next_due().is_none());
        }
    }
}
