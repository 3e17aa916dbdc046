use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::database::Position;
use crate::domain::{ConversationId, UserId};
use crate::registry::ReceiptUpdate;

/// How many conversations of one user may have a pending position at one writer. A
/// client that sends more at once has to repeat the rest.
const PER_USER: usize = 128;

/// How many positions of one user go into one statement before the next user's turn.
const PER_TURN: usize = 32;

/// The positions that wait for a writer. A table beside the writer's mailbox, so that
/// nothing is lost with the writer, and a position takes one entry however often a
/// client reports it. Cheap to clone.
///
/// Only the furthest position of a user in a conversation is kept. Users are served
/// in turn, however much each of them reports.
#[derive(Clone, Debug)]
pub struct PendingReceipts(Arc<Mutex<Table>>);

#[derive(Debug)]
struct Table {
    /// For all users together; beyond it, each user has room for one position.
    capacity: usize,
    /// In order of arrival; never empty.
    waiting: HashMap<UserId, VecDeque<(ConversationId, Positions)>>,
    /// The users with pending positions, in the order of their turns.
    turns: VecDeque<UserId>,
    count: usize,
}

#[derive(Clone, Copy, Debug)]
struct Positions {
    delivered: u64,
    read: u64,
}

impl PendingReceipts {
    pub fn new(capacity: usize) -> Self {
        let table = Table { capacity, waiting: HashMap::new(), turns: VecDeque::new(), count: 0 };
        Self(Arc::new(Mutex::new(table)))
    }

    /// Adds a position, or drops it if there is no room. Returns `true` if the table was
    /// empty before, so that the writer must be woken.
    pub fn update(&self, update: ReceiptUpdate) -> bool {
        let mut table = self.table();
        let was_empty = table.turns.is_empty();
        table.update(update);
        was_empty && !table.turns.is_empty()
    }

    /// Takes up to `max` positions, sorted by conversation and user: in this order
    /// every writer locks their rows.
    pub fn take(&self, max: usize) -> Vec<Position> {
        let mut taken = self.table().take(max);
        taken.sort_unstable_by_key(|position| (position.conversation, position.user));
        taken
    }

    pub fn is_empty(&self) -> bool {
        self.table().turns.is_empty()
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[cfg(test)]
    pub fn check_invariants(&self) {
        let table = self.table();
        let all = || table.waiting.values().flatten();
        assert_eq!(all().count(), table.count);
        assert!(all().all(|(_, positions)| positions.read <= positions.delivered));
        assert!(table.count <= table.capacity + table.waiting.len());
        assert!(table.waiting.values().all(|waiting| (1..=PER_USER).contains(&waiting.len())));
        assert_eq!(table.turns.len(), table.waiting.len());
        assert!(table.turns.iter().all(|user| table.waiting.contains_key(user)));
    }
}

impl Table {
    fn update(&mut self, ReceiptUpdate { user, conversation, delivered, read }: ReceiptUpdate) {
        // A message that was read has been delivered.
        let positions = Positions { delivered: delivered.max(read), read };
        let waiting = self.waiting.entry(user).or_default();
        if let Some((_, known)) = waiting.iter_mut().find(|(other, _)| *other == conversation) {
            known.delivered = known.delivered.max(positions.delivered);
            known.read = known.read.max(positions.read);
            return;
        }
        let is_first = waiting.is_empty();
        if !is_first && (waiting.len() >= PER_USER || self.count >= self.capacity) {
            return;
        }
        waiting.push_back((conversation, positions));
        self.count += 1;
        if is_first {
            self.turns.push_back(user);
        }
    }

    fn take(&mut self, max: usize) -> Vec<Position> {
        let mut taken = Vec::new();
        for _ in 0..self.turns.len() {
            let Some(user) = (taken.len() < max).then(|| self.turns.pop_front()).flatten() else { break };
            let Some(waiting) = self.waiting.get_mut(&user) else { continue };
            let share = waiting.len().min(PER_TURN).min(max - taken.len());
            taken.extend(waiting.drain(..share).map(|(conversation, Positions { delivered, read })| {
                Position { conversation, user, delivered, read }
            }));
            if waiting.is_empty() {
                self.waiting.remove(&user);
            } else {
                self.turns.push_back(user);
            }
        }
        self.count -= taken.len();
        if self.turns.is_empty() {
            // Frees the memory of a rush.
            (self.waiting, self.turns) = (HashMap::new(), VecDeque::new());
        }
        taken
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    fn update(user: u128, conversation: u128, delivered: u64, read: u64) -> ReceiptUpdate {
        let (user, conversation) =
            (UserId(Uuid::from_u128(user)), ConversationId(Uuid::from_u128(conversation)));
        ReceiptUpdate { user, conversation, delivered, read }
    }

    fn users_of(positions: &[Position]) -> Vec<u128> {
        let mut users: Vec<_> = positions.iter().map(|position| position.user.0.as_u128()).collect();
        users.sort_unstable();
        users.dedup();
        users
    }

    #[test]
    fn who_says_much_leaves_room_for_others_and_has_one_turn() {
        let receipts = PendingReceipts::new(1_000);
        assert!(receipts.update(update(0, 0, 1, 1)), "the writer is to be told");
        for conversation in 0..10_000 {
            assert!(!receipts.update(update(0, conversation, 1, 1)), "it knows");
        }
        receipts.check_invariants();
        for user in 1..=3 {
            receipts.update(update(user, 1_000_000, 1, 1));
        }
        let taken = receipts.take(1_000);
        assert_eq!((taken.len(), users_of(&taken)), (PER_TURN + 3, vec![0, 1, 2, 3]));
        let mut rest = 0;
        while !receipts.is_empty() {
            rest += receipts.take(1_000).len();
        }
        assert_eq!(rest, PER_USER - PER_TURN);
    }

    #[test]
    fn whoever_had_no_turn_is_first_the_next_time() {
        let receipts = PendingReceipts::new(1_000);
        for user in 0..10 {
            for conversation in 0..PER_TURN as u128 {
                receipts.update(update(user, conversation, 1, 0));
            }
        }
        assert_eq!(users_of(&receipts.take(4 * PER_TURN)), [0, 1, 2, 3]);
        receipts.update(update(0, 0, 2, 0));
        assert_eq!(users_of(&receipts.take(4 * PER_TURN)), [4, 5, 6, 7]);
        assert_eq!(users_of(&receipts.take(4 * PER_TURN)), [0, 8, 9]);
        receipts.check_invariants();
    }

    #[test]
    fn when_all_is_full_everybody_has_room_for_one() {
        let receipts = PendingReceipts::new(10);
        for user in 0..20 {
            for conversation in 0..3 {
                receipts.update(update(user, conversation, 1, 0));
            }
        }
        receipts.check_invariants();
        assert_eq!(users_of(&receipts.take(1_000)).len(), 20);
    }

    proptest! {
        /// Against a plain map: with room for all, nothing is lost.
        #[test]
        fn the_furthest_of_each_waits(
            said in prop::collection::vec((0u128..4, 0u128..8, 0u64..9, 0u64..9), 0..100),
            batch in 1usize..40,
        ) {
            let receipts = PendingReceipts::new(1_000);
            let mut expected: HashMap<_, (u64, u64)> = HashMap::new();
            for (user, conversation, delivered, read) in said {
                receipts.update(update(user, conversation, delivered, read));
                receipts.check_invariants();
                let positions = expected.entry((user, conversation)).or_default();
                *positions = (positions.0.max(delivered).max(read), positions.1.max(read));
            }
            let mut taken = HashMap::new();
            while !receipts.is_empty() {
                let positions = receipts.take(batch);
                prop_assert!((1..=batch).contains(&positions.len()));
                prop_assert!(positions.is_sorted_by_key(|position| (position.conversation, position.user)));
                for Position { user, conversation, delivered, read } in positions {
                    let twice = taken.insert((user.0.as_u128(), conversation.0.as_u128()), (delivered, read));
                    prop_assert_eq!(twice, None);
                }
                receipts.check_invariants();
            }
            prop_assert_eq!(taken, expected);
        }
    }
}
