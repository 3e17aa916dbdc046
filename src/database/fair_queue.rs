use std::collections::{HashSet, VecDeque};

use crate::domain::UserId;

/// How much of a batch a queued item takes.
pub struct Cost {
    /// A batch holds at most one item of each owner, and any number without an owner.
    pub owner: Option<UserId>,
    pub weight: usize,
}

/// A bounded queue that is drained in batches, fairly by owner: many
/// items of one user delay another user's by no more than one of them would.
pub struct FairQueue<T> {
    waiting: VecDeque<T>,
    capacity: usize,
}

impl<T> FairQueue<T> {
    pub fn new(capacity: usize) -> Self {
        Self { waiting: VecDeque::new(), capacity }
    }

    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    pub fn has_room(&self) -> bool {
        self.waiting.len() < self.capacity
    }

    pub fn push(&mut self, item: T) {
        self.waiting.push_back(item);
    }

    /// Takes everything.
    pub fn drain(&mut self) -> impl Iterator<Item = T> {
        self.waiting.drain(..)
    }

    /// Takes the next batch, of up to `capacity` in weight. The first item is
    /// always in it, so that none waits for ever; items that are passed over keep
    /// their position.
    pub fn take_batch(&mut self, capacity: usize, cost: impl Fn(&T) -> Cost) -> Vec<T> {
        let (mut batch, mut owners, mut room) = (Vec::new(), HashSet::new(), capacity);
        let mut passed = VecDeque::new();
        while let Some(item) = self.waiting.pop_front() {
            let Cost { owner, weight } = cost(&item);
            let fits = batch.is_empty() || weight <= room;
            if fits && owner.is_none_or(|owner| owners.insert(owner)) {
                room = room.saturating_sub(weight);
                batch.push(item);
            } else {
                passed.push_back(item);
            }
            if room == 0 {
                break;
            }
        }
        passed.append(&mut self.waiting);
        self.waiting = passed;
        batch
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Item = (Option<UserId>, usize, u32);

    fn queue(items: &[Item]) -> FairQueue<Item> {
        let mut queue = FairQueue::new(items.len());
        items.iter().for_each(|item| queue.push(*item));
        queue
    }

    fn take(queue: &mut FairQueue<Item>, capacity: usize) -> Vec<u32> {
        let batch = queue.take_batch(capacity, |(owner, weight, _)| Cost { owner: *owner, weight: *weight });
        batch.into_iter().map(|(.., number)| number).collect()
    }

    #[test]
    fn c04_many_items_of_one_user_delay_others_by_one() {
        let [many, one, other] = [(); 3].map(|()| Some(UserId::fresh()));
        let mut items: Vec<Item> = (0..100).map(|number| (many, 1, number)).collect();
        items.extend([(one, 1, 100), (other, 1, 101)]);
        let mut queue = queue(&items);
        assert_eq!(take(&mut queue, 16), [0, 100, 101]);
        assert_eq!(take(&mut queue, 16), [1], "in the order in which they came");
    }

    #[test]
    fn a_batch_is_bounded_by_weight_and_light_items_pass_heavy_ones() {
        let mut queue = queue(&[(None, 6, 0), (None, 6, 1), (None, 4, 2), (None, 1, 3)]);
        assert_eq!(take(&mut queue, 10), [0, 2]);
        assert_eq!(take(&mut queue, 10), [1, 3]);
        assert!(queue.is_empty());
    }

    #[test]
    fn the_first_is_taken_whatever_it_weighs() {
        let mut queue = queue(&[(None, 50, 0), (None, 1, 1)]);
        assert_eq!(take(&mut queue, 10), [0]);
        assert_eq!(take(&mut queue, 10), [1]);
        assert_eq!(take(&mut queue, 10), [0; 0]);
    }
}
